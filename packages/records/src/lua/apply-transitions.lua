#!lua
-- Applies transitions of reservations of one region, in order, each with its counts, index record, deadline, events, PIN, the version of the data
-- that the site's agent synchronizes, the device's watermark, and the response. Each is atomic, and independent of the others. Idempotent: a
-- repeated run finds the response, the watermark or the new revision. Batched for the same reason as in lua/hold-many.lua: starting the script
-- takes as long as one transition.
--
-- KEYS[1] deadlines  KEYS[2] events  KEYS[3] overdue reservations  KEYS[4] queues, see includes/queue.lua
-- then for each transition nine: response, reservation, site counts, block, allowed reservations, version of the agent's data, PINs, watermark,
--   named compartments
-- ARGV[1] how long responses are stored, in ms
-- ARGV[2] changes, for each transition: u8 length of what follows; u8 number of events; u8 length and fingerprint, '': no response is stored;
--   u32 revision that the caller read; 16 bytes of handle; '+' and u48 deadline in ms, '-' none, '=' unchanged; 4 bytes of site number; u8 class;
--   i8 change of held; i8 change of occupied; '+' allowed, '-' not allowed, '=' unchanged; u8 length and PIN: a PIN entry; or u32 of a new end
--   of validity, followed, if the bundle's PIN must be valid until then too, by 16 bytes of the bundle's handle and u32 s of its longest
--   validity; '-': none; '': unchanged; double sequence number of the device's report, 0: no report; u48 ms when the parcel was deposited or
--   collected, if occupied changes; u8 length and named compartment that is freed, '': none; the same of the one that is taken; '+' overdue,
--   '-' not overdue, '=' unchanged; u8 1 if the reservation leaves the queue; u48 the gateway's time in ms if a place may become free, else 0
-- then for each transition: head and message of the reservation to write, '': unchanged; the response; its events. They are separate arguments,
--   not part of the changes, since the time to cut a part out of a string grows with the whole string.
-- Returns {'applied', then for each transition a tag and a value, '' if it has none}:
--   'done' | 'repeated', response | 'reused' | 'stale' | 'gone' | 'pin_taken' | 'seen', watermark | 'gap', watermark | 'failed', reason

--- @include stored-responses
--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

local response_ms, changes = ARGV[1], ARGV[2]
local DEADLINES, EVENTS, OVERDUE, WAITING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local KEYS_BEFORE, KEYS_EACH = 4, 9

-- A PIN entry: 32 bytes of hash, then begin and end of validity as u32.
local PIN_ENTRY_BYTES, PIN_HASH_BYTES, PIN_BEGIN_AT = 40, 32, 33

local function is_pin_taken(pins_key, handle, entry)
  local pins = redis.call('HGETALL', pins_key)
  for field = 1, #pins, 2 do
    if pins[field] ~= handle and string.sub(pins[field + 1], 1, PIN_HASH_BYTES) == string.sub(entry, 1, PIN_HASH_BYTES) then
      return true
    end
  end
  return false
end

local function write_pin(pins_key, handle, entry)
  if entry == '-' then
    redis.call('HDEL', pins_key, handle)
  elseif #entry == PIN_ENTRY_BYTES then
    redis.call('HSET', pins_key, handle, entry)
  elseif #entry == 4 then
    local pin = redis.call('HGET', pins_key, handle)
    if pin then
      redis.call('HSET', pins_key, handle, string.sub(pin, 1, -5) .. entry)
    end
  else
    local ends, bundle, most = struct.unpack('<I4c16I4', entry)
    local bundle_field = 'b' .. bundle
    local pin, bundle_pin = unpack(redis.call('HMGET', pins_key, handle, bundle_field))
    if pin then
      redis.call('HSET', pins_key, handle, string.sub(pin, 1, -5) .. string.sub(entry, 1, 4))
    end
    if bundle_pin then
      local bundle_begins, bundle_ends = struct.unpack('<I4I4', bundle_pin, PIN_BEGIN_AT)
      -- Another parcel of the bundle may need a later end.
      local bundle_end = math.min(ends, bundle_begins + most)
      if bundle_end > bundle_ends then
        redis.call('HSET', pins_key, bundle_field, string.sub(bundle_pin, 1, -5) .. struct.pack('<I4', bundle_end))
      end
    end
  end
end

-- Changes the counts. Returns nil, or a tag and the reason.
local function count_place(counts_key, block_key, block, number, class, held_change, occupied_change, moved_ms)
  local site_counts = redis.call('HGET', counts_key, number)
  if not site_counts then
    -- The site has moved to another cell meanwhile.
    return 'stale'
  end
  local moved_at, by_others_change = last_moved(site_counts), 0
  if occupied_change ~= 0 then
    local observed, ttl = report_times(report_of(site_counts))
    -- The last report did not count this parcel but the store did, so the report's surplus over the store was one too small.
    if occupied_change < 0 and observed and ttl ~= REPORTING_ENDED and moved_ms <= observed then
      by_others_change = -occupied_change
    end
    moved_at = math.max(moved_at, moved_ms)
  end
  local failure = change_counts(
    counts_key, block_key, number, site_counts, class, held_change, occupied_change, by_others_change, moved_at,
    block and offset_in(block, number)
  )
  if failure then
    return 'failed', failure.err
  end
  return nil
end

local function apply(keys, bytes, events, at)
  local fingerprint, expected, handle, deadline_kind, deadline, number, class, held_change, occupied_change, allowed,
    entry, sequence, moved_ms, freed_compartment, taken_compartment, overdue, leaves_queue, now =
    struct.unpack('<Bc0I4c16c1I6c4Bbbc1Bc0dI6Bc0Bc0c1BI6', changes, at)
  local written = ARGV[bytes]
  local response_key, reservation_key, counts_key, block_key, allowed_key, version_key, pins_key, watermark_key, compartments_key =
    unpack(KEYS, keys + 1, keys + KEYS_EACH)

  local counts_change = held_change ~= 0 or occupied_change ~= 0
  -- One command for five keys: most of the time is the overhead of commands.
  local stored, version, watermark, stored_entry, block = unpack(redis.call(
    'MGET', reservation_key, version_key, watermark_key, response_key, counts_change and block_key or version_key
  ))
  if fingerprint ~= '' then
    local repetition = repetition_of(stored_entry, fingerprint)
    if repetition then
      return repetition[1], repetition[2]
    end
  end
  if sequence > 0 then
    watermark = tonumber(watermark or '0')
    if sequence <= watermark then
      return 'seen', watermark
    elseif sequence > watermark + 1 then
      return 'gap', watermark
    end
  end
  if not stored then
    return 'gone'
  end
  local revision, message_bytes = struct.unpack('<I4I2', stored)
  if revision ~= expected then
    return 'stale'
  end
  if #entry == PIN_ENTRY_BYTES and is_pin_taken(pins_key, handle, entry) then
    return 'pin_taken'
  end
  if counts_change then
    local tag, why = count_place(counts_key, block_key, block, number, class, held_change, occupied_change, moved_ms)
    if tag then
      return tag, why
    end
  end

  if freed_compartment ~= '' then
    free_compartment(compartments_key, freed_compartment, handle)
  end
  if taken_compartment ~= '' then
    take_compartment(compartments_key, taken_compartment, handle)
  end
  if deadline_kind == '-' then
    redis.call('ZREM', DEADLINES, handle)
  elseif deadline_kind == '+' then
    redis.call('ZADD', DEADLINES, deadline, handle)
  end
  if allowed == '+' then
    redis.call('SADD', allowed_key, handle)
  elseif allowed == '-' then
    redis.call('SREM', allowed_key, handle)
  end
  if overdue == '+' then
    redis.call('ZADD', OVERDUE, 0, handle)
  elseif overdue == '-' then
    redis.call('ZREM', OVERDUE, handle)
  end
  if entry ~= '' then
    write_pin(pins_key, handle, entry)
  end
  local entries = ''
  for number = 1, events do
    entries = entries .. append_event(EVENTS, ARGV[bytes + 1 + number])
  end
  local record = amended_record(stored, message_bytes, written, entries)
  local writes = { reservation_key, record }
  if written ~= '' or allowed ~= '=' or entry ~= '' then
    writes[3], writes[4] = version_key, string.format('%.0f', tonumber(version or '0') + 1)
  end
  if sequence > 0 then
    writes[#writes + 1], writes[#writes + 2] = watermark_key, string.format('%.0f', sequence)
  end
  redis.call('MSET', unpack(writes))
  local queue = {
    waiting = WAITING, deadlines = DEADLINES, events = EVENTS, now = now,
    reservations = string.sub(reservation_key, 1, -#handle - 1),
  }
  if leaves_queue == 1 then
    local waiting = waiting_at(queue, handle)
    if waiting then
      leave_queue(queue, handle, waiting)
    end
  end
  if now > 0 and (held_change + occupied_change < 0 or freed_compartment ~= '') then
    promote_safely(queue, {
      number = number, counts = counts_key, block = block_key, compartments = compartments_key, allowed = allowed_key, version = version_key,
    })
  end
  if fingerprint ~= '' then
    store_response(response_key, fingerprint, 'A', ARGV[bytes + 1], response_ms)
  end
  return 'done'
end

local outcomes, keys, bytes, at = { 'applied' }, KEYS_BEFORE, 3, 1
while at <= #changes do
  local length, events = string.byte(changes, at, at + 1)
  -- The failure of one must not leave the others incomplete.
  local is_done, tag, value = pcall(apply, keys, bytes, events, at + 2)
  if not is_done then
    tag, value = 'failed', type(tag) == 'table' and tag.err or tostring(tag)
  end
  outcomes[#outcomes + 1] = tag
  outcomes[#outcomes + 1] = value or ''
  keys, bytes, at = keys + KEYS_EACH, bytes + 2 + events, at + 1 + length
end
publish_events(EVENTS)
return outcomes
