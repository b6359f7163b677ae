#!lua
-- Deletes the oldest events of a region, and the reservations that ended with them, after they were read back from the archive. A reservation
-- that has changed since is not deleted. Neither is one with a deadline: the sweep deletes it later. Idempotent.
--
-- KEYS[1] events  KEYS[2] time before which all events are archived  KEYS[3] deadlines  KEYS[4..] reservations
-- ARGV[1] that time, in ms  ARGV[2] number of events  ARGV[3] entry of the first  ARGV[4] entry of the last
-- ARGV[5] next entry id after the last
-- ARGV[6..] for each reservation: handle, revision, last entry of its chain in 10 bytes
-- Returns {'done', number of deleted reservations} | {'differs'}: the stream does not begin with those events, and nothing was deleted

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
local deleted = 0
for number = 1, #KEYS - 3 do
  local key, at = KEYS[3 + number], 3 + 3 * number
  local handle, revision, last_entry = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  if compare_record(key, revision, last_entry) == 'same' and not redis.call('ZSCORE', KEYS[3], handle) then
    redis.call('DEL', key)
    deleted = deleted + 1
  end
end
return { 'done', deleted }
