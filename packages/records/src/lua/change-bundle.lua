#!lua
-- Makes or changes a bundle of reservations at one site, and what goes with it: what its reservations say of it, events, its PIN, what the site's agent may
-- know, the remembered answer. All or nothing. Safe to run twice: the second run finds the answer or the revisions of the first.
--
-- KEYS[1] answer  KEYS[2] bundle  KEYS[3] events  KEYS[4] version of what is allowed  KEYS[5] pins  KEYS[6..] reservations
-- ARGV[1] fingerprint of 16 bytes  ARGV[2] ms for which the answer is remembered  ARGV[3] answer
-- ARGV[4] revision of the bundle that the caller read, 0: there was none
-- ARGV[5] revision in 4 bytes and message of the bundle to write, empty: as it was  ARGV[6] ms for which the bundle is kept from now on
-- ARGV[7] the bundle's field among the pins: 'b' and its handle  ARGV[8] PIN entry, '-': none, empty: as it was
-- ARGV[9] time in s: a bundle's PIN that began before it is forgotten
-- ARGV[10..] for each reservation three: the revision that the caller read; head and message to write, empty: as it was; an event, empty: none
-- Returns {'done'} | {'repeated', answer} | {'reused'} | {'stale'} | {'pin_taken'}

--- @include answers
--- @include events
--- @include reservation-record

-- A PIN entry: 32 bytes of hash, u32 begin, u32 end.
local PIN_HASH_BYTES, PIN_BEGIN_AT = 32, 33
local BUNDLE_FIELD_BYTES = 17
local FIRST_RESERVATION_KEY, FIRST_RESERVATION_ARG = 6, 10

local fingerprint, field, entry = ARGV[1], ARGV[7], ARGV[8]

local known = remembered(KEYS[1], fingerprint)
if known then
  return known
end
local stored = redis.call('GETRANGE', KEYS[2], 0, 3)
local revision = stored == '' and 0 or struct.unpack('<I4', stored)
if revision ~= tonumber(ARGV[4]) then
  return { 'stale' }
end
local records, message_bytes = {}, {}
for key = FIRST_RESERVATION_KEY, #KEYS do
  local record = redis.call('GET', KEYS[key])
  if not record then
    return { 'stale' }
  end
  local reservation_revision
  reservation_revision, message_bytes[key] = struct.unpack('<I4I2', record)
  records[key] = record
  if reservation_revision ~= tonumber(ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 3]) then
    return { 'stale' }
  end
end
if #entry > 1 then
  local pins = redis.call('HGETALL', KEYS[5])
  for at = 1, #pins, 2 do
    local other, pin = pins[at], pins[at + 1]
    if #other == BUNDLE_FIELD_BYTES and struct.unpack('<I4', pin, PIN_BEGIN_AT) < tonumber(ARGV[9]) then
      -- Its end cannot be moved any more, and nothing else takes it away when its parcels are gone and their records stay.
      redis.call('HDEL', KEYS[5], other)
    elseif other ~= field and string.sub(pin, 1, PIN_HASH_BYTES) == string.sub(entry, 1, PIN_HASH_BYTES) then
      return { 'pin_taken' }
    end
  end
  redis.call('HSET', KEYS[5], field, entry)
elseif entry == '-' then
  redis.call('HDEL', KEYS[5], field)
end

if ARGV[5] ~= '' then
  redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
local appended_entries = {}
for key = FIRST_RESERVATION_KEY, #KEYS do
  local event = ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 3 + 2]
  appended_entries[key] = event == '' and '' or append_event(KEYS[3], event)
end
publish_events(KEYS[3])
for key = FIRST_RESERVATION_KEY, #KEYS do
  local head_and_message = ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 3 + 1]
  redis.call('SET', KEYS[key], amended_record(records[key], message_bytes[key], head_and_message, appended_entries[key]))
end
redis.call('INCR', KEYS[4])
remember(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
return { 'done' }
