#!lua
-- Takes a lease, holds on to it, or gives it back. Safe to run twice.
--
-- KEYS[1] lease
-- ARGV[1] token of who asks  ARGV[2] ms for which it is held; 0: it is given back
-- Returns {'taken'}: it was nobody's | {'kept'}: it was the asker's | {'held'}: it is somebody else's | {'given'}

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return { 'held' }
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return { 'given' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { holder and 'kept' or 'taken' }
