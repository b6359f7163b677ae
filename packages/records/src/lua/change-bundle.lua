#!lua
-- Creates or changes a bundle of reservations at one site, with its reservations, events and PIN, the version of the data that the site's agent
-- synchronizes, and the response. Atomic. Idempotent: a repeated run finds the response, or changed revisions.
--
-- KEYS[1] response  KEYS[2] bundle  KEYS[3] events  KEYS[4] version of the agent's data  KEYS[5] PINs  KEYS[6..] reservations
-- ARGV[1] fingerprint, 16 bytes  ARGV[2] how long the response is stored, in ms  ARGV[3] response
-- ARGV[4] revision of the bundle that the caller read, 0: there was none
-- ARGV[5] bundle to write: revision in 4 bytes, then the message; '': unchanged  ARGV[6] how long the bundle is stored from now on, in ms
-- ARGV[7] the bundle's field among the PINs: 'b' and its handle  ARGV[8] PIN entry and u32 generation of its key, '-': none, '': unchanged
-- ARGV[9] time in s: PINs of bundles whose validity began before it are deleted
-- ARGV[10] the most events that a reservation with an event may have afterwards, 0: any number
-- ARGV[11..] for each reservation four: the revision that the caller read; head and message to write, '': unchanged; event, '': none; how many of its
--   events do not count
-- Returns {'done'} | {'repeated', response} | {'reused'} | {'stale'} | {'pin_taken'}
--   | {'many_events', reservation from 1, how many it has}

--- @include stored-responses
--- @include events
--- @include reservation-record
--- @include pins
--- @include allowed-changes

local HANDLE_BYTES, BUNDLE_FIELD_BYTES = 16, 17
local FIRST_RESERVATION_KEY, FIRST_RESERVATION_ARG = 6, 11

local fingerprint, field, entry = ARGV[1], ARGV[7], ARGV[8]

local repetition = find_repetition(KEYS[1], fingerprint)
if repetition then
  return repetition
end
local stored = redis.call('GETRANGE', KEYS[2], 0, 3)
local revision = stored == '' and 0 or struct.unpack('<I4', stored)
if revision ~= tonumber(ARGV[4]) then
  return { 'stale' }
end
local records, message_bytes, subjects = {}, {}, { field }
for key = FIRST_RESERVATION_KEY, #KEYS do
  local record = redis.call('GET', KEYS[key])
  if not record then
    return { 'stale' }
  end
  local reservation_revision
  reservation_revision, message_bytes[key] = struct.unpack('<I4I2', record)
  records[key] = record
  subjects[#subjects + 1] = string.sub(KEYS[key], -HANDLE_BYTES)
  if reservation_revision ~= tonumber(ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 4]) then
    return { 'stale' }
  end
  local uncounted = tonumber(ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 4 + 3])
  local recorded = events_in(record, message_bytes[key]) - uncounted
  local has_event = ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 4 + 2] ~= ''
  if has_event and tonumber(ARGV[10]) > 0 and recorded >= tonumber(ARGV[10]) then
    return { 'many_events', key - FIRST_RESERVATION_KEY + 1, recorded }
  end
end
if #entry > 1 then
  entry = stored_pin(KEYS[5], entry)
  if not entry then
    return { 'stale' }
  end
  local pins, ended = redis.call('HGETALL', KEYS[5]), {}
  for at = 1, #pins, 2 do
    local other, pin = pins[at], pins[at + 1]
    if #other == BUNDLE_FIELD_BYTES and struct.unpack('<I4', pin, PIN_BEGIN_AT) < tonumber(ARGV[9]) then
      -- Its end cannot be moved any more. Nothing else deletes it if the bundle's parcels were collected but are not archived yet.
      ended[#ended + 1] = other
    elseif other ~= field and string.sub(pin, 1, PIN_HASH_BYTES) == string.sub(entry, 1, PIN_HASH_BYTES) then
      return { 'pin_taken' }
    end
  end
  for _, other in ipairs(ended) do
    redis.call('HDEL', KEYS[5], other)
    subjects[#subjects + 1] = other
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
  local event = ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 4 + 2]
  appended_entries[key] = event == '' and '' or append_event(KEYS[3], event)
end
publish_events(KEYS[3])
for key = FIRST_RESERVATION_KEY, #KEYS do
  local head_and_message = ARGV[FIRST_RESERVATION_ARG + (key - FIRST_RESERVATION_KEY) * 4 + 1]
  redis.call('SET', KEYS[key], amended_record(records[key], message_bytes[key], head_and_message, appended_entries[key]))
end
note_allowed_change(KEYS[4], redis.call('INCR', KEYS[4]), table.concat(subjects, ' '))
store_response(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
return { 'done' }
