#!lua
-- Deletes an operator's reference if it leads to a site.
--
-- KEYS[1] references of the operator
-- ARGV[1] reference  ARGV[2] site id
-- Returns {'released'} | {'changed'}

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return { 'changed' }
end
redis.call('HDEL', KEYS[1], ARGV[1])
return { 'released' }
