#!lua
-- Takes a reservation away that has ended, and that the archive has, when the clock has nothing more to do with it. Safe to run twice.
--
-- KEYS[1] reservation  KEYS[2] deadlines  KEYS[3] allowed  KEYS[4] version of what is allowed  KEYS[5] pins
-- ARGV[1] handle  ARGV[2] revision that the archive has  ARGV[3] last entry of its chain there, 10 bytes
-- Returns {'done'} | {'other'}: it is not as the archive has it, and nothing was done

--- @include reservation-record
--- @include archived-record

local handle = ARGV[1]
local compared = compared_record(KEYS[1], tonumber(ARGV[2]), ARGV[3])
if compared == 'other' then
  return { 'other' }
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], handle)
if redis.call('SREM', KEYS[3], handle) + redis.call('HDEL', KEYS[5], handle) > 0 then
  redis.call('INCR', KEYS[4])
end
return { 'done' }
