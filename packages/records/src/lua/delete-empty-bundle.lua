#!lua
-- Deletes a bundle when none of its reservations is stored any more: it expires together with the stored responses, and its PIN is removed. A change
-- of the bundle before that keeps it. Idempotent.
--
-- KEYS[1] bundle  KEYS[2] version of what is allowed  KEYS[3] pins  KEYS[4..] its reservations
-- ARGV[1] revision that the caller read  ARGV[2] the bundle's field among the pins  ARGV[3] ms for which it is kept
-- Returns {'done'} | {'needed'}: one of its reservations is there | {'other'}: it is not as the caller read it

local stored = redis.call('GETRANGE', KEYS[1], 0, 3)
if stored == '' or struct.unpack('<I4', stored) ~= tonumber(ARGV[1]) then
  return { 'other' }
end
for key = 4, #KEYS do
  if redis.call('EXISTS', KEYS[key]) == 1 then
    return { 'needed' }
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'LT')
if redis.call('HDEL', KEYS[3], ARGV[2]) == 1 then
  redis.call('INCR', KEYS[2])
end
return { 'done' }
