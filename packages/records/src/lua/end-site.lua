#!lua
-- Ends a retired site: nothing is written of it any more, and its id leads to no site again. Atomic. Idempotent.
--
-- KEYS[1] site  KEYS[2] site counts of its cell  KEYS[3] allowed reservations  KEYS[4] its queue  KEYS[5] changes of sites  KEYS[6] sites that have ended
-- ARGV[1] site number, 4 bytes  ARGV[2] head of the site's record that the caller read
-- Returns {'ended'} | {'changed'}: since the caller read it, or it is not retired | {'in_use'}: it has reservations, parcels or duties

--- @include site-index

local number = string.format('%d', struct.unpack('<I4', ARGV[1]))
if redis.call('GETBIT', KEYS[6], number) == 1 then
  return { 'ended' }
end
local is_offered = string.byte(ARGV[2], 5) == 1
if is_offered or redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1) ~= ARGV[2] then
  return { 'changed' }
end
local site_counts = redis.call('HGET', KEYS[2], ARGV[1])
for class = 0, site_counts and string.byte(site_counts, COUNTS_HEAD_BYTES) - 1 or -1 do
  local _, _, occupied, held = class_counts(site_counts, class)
  if occupied + held > 0 then
    return { 'in_use' }
  end
end
if redis.call('EXISTS', KEYS[3], KEYS[4]) > 0 or redis.call('HEXISTS', KEYS[5], number) == 1 then
  return { 'in_use' }
end
redis.call('SETBIT', KEYS[6], number, 1)
return { 'ended' }
