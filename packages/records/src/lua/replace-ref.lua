#!lua
-- Gives an operator's reference another site id, if it still has the one that the caller saw.
--
-- KEYS[1] references
-- ARGV[1] reference  ARGV[2] site id that the caller saw  ARGV[3] site id to give it
-- Returns {'replaced'} | {'changed'}

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return { 'changed' }
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'replaced' }
