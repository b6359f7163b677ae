#!lua
-- Deletes what is stored of a site that has ended. Idempotent.
--
-- KEYS[1] sites that have ended  KEYS[2] retired sites  KEYS[3] site counts of its cell  KEYS[4] shortages of sites  KEYS[5] when sites were told of
-- KEYS[6] sites in the order of their changes  KEYS[7] sites with a paused intake  KEYS[8..] the site's own keys
-- ARGV[1] site number, 4 bytes
-- Returns {'done'}

local number = string.format('%d', struct.unpack('<I4', ARGV[1]))
if redis.call('GETBIT', KEYS[1], number) == 1 then
  redis.call('DEL', unpack(KEYS, 8))
  redis.call('HDEL', KEYS[3], ARGV[1])
  redis.call('HDEL', KEYS[4], number)
  redis.call('ZREM', KEYS[5], number)
  redis.call('ZREM', KEYS[6], number)
  redis.call('ZREM', KEYS[7], number)
  redis.call('ZREM', KEYS[2], number)
end
return { 'done' }
