#!lua
-- Restores an archived reservation, so that events can be recorded about it. Its deadline lets the sweep delete it again if none are.
-- Idempotent: a stored reservation is not changed.
--
-- KEYS[1] reservation  KEYS[2] deadlines
-- ARGV[1] record  ARGV[2] handle  ARGV[3] deadline in ms
-- Returns {'done'} | {'there'}: it is stored

if redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'there' }
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
return { 'done' }
