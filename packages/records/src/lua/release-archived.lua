#!lua
-- Deletes an ended reservation that is archived and whose last deadline has passed. Idempotent.
--
-- KEYS[1] reservation  KEYS[2] deadlines  KEYS[3] allowed reservations  KEYS[4] version of the agent's data  KEYS[5] PINs
-- ARGV[1] handle  ARGV[2] archived revision  ARGV[3] last entry of the archived chain, 10 bytes
-- Returns {'done'} | {'changed'}: it differs from the archived one, and nothing was deleted

--- @include reservation-record
--- @include archived-record
--- @include allowed-changes

local handle = ARGV[1]
if compare_record(KEYS[1], tonumber(ARGV[2]), ARGV[3]) == 'changed' then
  return { 'changed' }
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], handle)
if redis.call('SREM', KEYS[3], handle) + redis.call('HDEL', KEYS[5], handle) > 0 then
  note_allowed_change(KEYS[4], redis.call('INCR', KEYS[4]), handle)
end
return { 'done' }
