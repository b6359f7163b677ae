#!lua
-- Brings a reservation back that has left for the archive: something is to be recorded about it. It is given a deadline, so that the sweep takes it
-- away again where nothing is. Safe to run twice: one that is there stays as it is.
--
-- KEYS[1] reservation  KEYS[2] deadlines
-- ARGV[1] record  ARGV[2] handle  ARGV[3] deadline in ms
-- Returns {'done'} | {'there'}

if redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'there' }
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
return { 'done' }
