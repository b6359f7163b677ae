#!lua
-- Puts a device in charge of a site if the one that the caller read still is. Atomic. Idempotent.
--
-- KEYS[1] key of the device in charge
-- ARGV[1] the one that the caller read, '': none  ARGV[2] key of the device
-- Returns {'put'} | {'changed'}

local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] and current ~= ARGV[2] then
  return { 'changed' }
end
redis.call('SET', KEYS[1], ARGV[2])
return { 'put' }
