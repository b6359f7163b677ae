#!lua
-- Takes the oldest events of a region from its stream, and the reservations that ended with them from the records, after they have been read back
-- from the archive. A reservation that has changed since stays, and so does one with which the clock still has something to do: the sweep
-- takes it away then. Safe to run twice.
--
-- KEYS[1] events  KEYS[2] until when events are in the archive  KEYS[3] deadlines  then each reservation
-- ARGV[1] until when they are, in ms  ARGV[2] number of events  ARGV[3] entry of the first  ARGV[4] entry of the last
-- ARGV[5] entry after the last
-- ARGV[6..] of each reservation: handle, revision, last entry of its chain in 10 bytes
-- Returns {'done', reservations taken away} | {'differs'}: the stream does not begin with those events, and nothing was done

--- @include reservation-record
--- @include archived-record

local until_ms, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = redis.call('XRANGE', KEYS[1], '-', ARGV[4], 'COUNT', count + 1)
if #found > 0 and (#found ~= count or found[1][1] ~= ARGV[3] or found[#found][1] ~= ARGV[4]) then
  return { 'differs' }
end
if tonumber(redis.call('GET', KEYS[2]) or '0') < until_ms then
  redis.call('SET', KEYS[2], ARGV[1])
end
redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[5])
local taken = 0
for number = 1, #KEYS - 3 do
  local key, at = KEYS[3 + number], 3 + 3 * number
  local handle, revision, tail = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  if compared_record(key, revision, tail) == 'same' and not redis.call('ZSCORE', KEYS[3], handle) then
    redis.call('DEL', key)
    taken = taken + 1
  end
end
return { 'done', taken }
