#!lua
-- Deletes a bundle if none of its reservations is stored any more: its PIN is deleted, and the bundle expires together with the stored responses
-- unless it is changed before. Idempotent.
--
-- KEYS[1] bundle  KEYS[2] version of the agent's data  KEYS[3] PINs  KEYS[4..] its reservations
-- ARGV[1] revision that the caller read  ARGV[2] the bundle's field among the PINs  ARGV[3] how long it stays readable, in ms
-- Returns {'done'} | {'needed'}: one of its reservations is stored | {'changed'}: it has another revision

--- @include allowed-changes

local stored = redis.call('GETRANGE', KEYS[1], 0, 3)
if stored == '' or struct.unpack('<I4', stored) ~= tonumber(ARGV[1]) then
  return { 'changed' }
end
for key = 4, #KEYS do
  if redis.call('EXISTS', KEYS[key]) == 1 then
    return { 'needed' }
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'LT')
if redis.call('HDEL', KEYS[3], ARGV[2]) == 1 then
  note_allowed_change(KEYS[2], redis.call('INCR', KEYS[2]), ARGV[2])
end
return { 'done' }
