#!lua
-- Turns a region's list of size profiles or opening times of version 2 into that of version 3, see includes/region-lists.lua. Does nothing if there is
-- none any more. Idempotent.
--
-- KEYS[1] list of version 2  KEYS[2] sorted set  KEYS[3] uses
-- ARGV[1] number of the first entry  ARGV[2..] for each owner and entry that its records name: owner, number, number of records
-- Returns {'converted', entries that no record names} | {'none'}

local first = tonumber(ARGV[1])
local entries = redis.call('LRANGE', KEYS[1], 0, -1)
if #entries == 0 then
  return { 'none' }
end
local refs = {}
redis.call('DEL', KEYS[2], KEYS[3])
for index = 2, #ARGV, 3 do
  local owner, number, records = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
  refs[number] = (refs[number] or 0) + records
  redis.call('HSET', KEYS[3], owner .. ':' .. number, records)
  redis.call('HINCRBY', KEYS[3], owner, 1)
end
local unnamed = 0
for index, entry in ipairs(entries) do
  local number = string.format('%d', first + index - 1)
  if refs[number] then
    redis.call('ZADD', KEYS[2], number, entry)
    redis.call('HSET', KEYS[3], number, refs[number] .. ' ' .. number)
  else
    unnamed = unnamed + 1
  end
end
redis.call('HSET', KEYS[3], 'last', first + #entries - 1)
redis.call('DEL', KEYS[1])
return { 'converted', unnamed }
