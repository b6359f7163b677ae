#!lua
-- Adds a field to a hash that has a greatest size. A field that exists keeps its value. Idempotent.
--
-- KEYS[1] hash
-- ARGV[1] field  ARGV[2] value  ARGV[3] greatest number of fields
-- Returns {'claimed'}: it exists | {'full', number of fields}

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  return { 'claimed' }
end
local used = redis.call('HLEN', KEYS[1])
if used >= tonumber(ARGV[3]) then
  return { 'full', used }
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return { 'claimed' }
