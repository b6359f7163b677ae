#!lua
-- Acquires, renews or releases a lease. Idempotent.
--
-- KEYS[1] lease
-- ARGV[1] token of the caller  ARGV[2] how long the lease lasts in ms; 0: release it
-- Returns {'acquired'}: it was free | {'renewed'}: the caller had it | {'unavailable'}: somebody else has it | {'released'}

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return { 'unavailable' }
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return { 'released' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { holder and 'renewed' or 'acquired' }
