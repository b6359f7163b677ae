#!lua
-- Assigns another site id to an operator's reference if it still has the one that the caller read.
--
-- KEYS[1] references of the operator
-- ARGV[1] reference  ARGV[2] site id that the caller read  ARGV[3] new site id
-- Returns {'replaced'} | {'changed'}

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return { 'changed' }
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'replaced' }
