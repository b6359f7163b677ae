#!lua
-- Checks the versions of the data of a store against those that a gateway reads and writes, and registers the gateway for a while. Raises the
-- newest version to the one that the gateway writes, unless a registered gateway cannot read that. Idempotent.
--
-- KEYS[1] hash: 'oldest' and 'newest' → versions of the data, '<gateway>' → '<newest version it reads> <ms until which it is registered>'
-- ARGV[1] gateway  ARGV[2] oldest version it reads  ARGV[3] newest version it reads  ARGV[4] version it writes
-- ARGV[5] ms for which it is registered  ARGV[6] oldest and ARGV[7] newest version of the data where the hash states none; empty: unknown
-- Returns {'entered', oldest, newest} | {'unstated'} | {'unreadable', oldest, newest}: nothing was changed
--   | {'shared', newest version that a registered gateway reads}: it is less than the version that the asking gateway writes; nothing was changed

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest_read, newest_read, written = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local oldest = tonumber(redis.call('HGET', KEYS[1], 'oldest') or ARGV[6])
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest') or ARGV[7])
if oldest == nil or newest == nil then
  return { 'unstated' }
end
if newest > newest_read or oldest < oldest_read then
  return { 'unreadable', oldest, newest }
end

local gone = {}
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local reads, until_ms = string.match(fields[index + 1], '^(%d+) (%d+)$')
  if reads and fields[index] ~= ARGV[1] then
    if tonumber(until_ms) <= now then
      gone[#gone + 1] = fields[index]
    elseif tonumber(reads) < written then
      return { 'shared', tonumber(reads) }
    end
  end
end
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
end

oldest, newest = math.min(oldest, written), math.max(newest, written)
redis.call('HSET', KEYS[1], 'oldest', oldest, 'newest', newest, ARGV[1], string.format('%d %.0f', newest_read, now + ARGV[5]))
return { 'entered', oldest, newest }
