#!lua
-- Records an event that is about no reservation, unless one was recorded under the same name. Idempotent.
--
-- KEYS[1] marker of the name  KEYS[2] events
-- ARGV[1] event  ARGV[2] how long the marker is stored, in ms
-- Returns {'done'} | {'seen'}: one was recorded

--- @include events

if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then
  return { 'seen' }
end
append_event(KEYS[2], ARGV[1])
publish_events(KEYS[2])
return { 'done' }
