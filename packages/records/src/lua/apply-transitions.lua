#!lua
-- Applies transitions of reservations of one region, in order, each with its counts, index record, deadline, events, PIN, the version of the data
-- that the site's agent synchronizes, the device's watermark, and the response. Each is atomic, and independent of the others. Idempotent: a
-- repeated run finds the response, the watermark or the new revision. Batched for the same reason as in lua/hold-many.lua: starting the script
-- takes as long as one transition.
--
-- KEYS[1] deadlines  KEYS[2] events  KEYS[3] overdue reservations  KEYS[4] queues, see includes/queue.lua
-- KEYS[5] holds of participants, see includes/holds.lua  KEYS[6] shortages of sites, see includes/shortages.lua
-- then for each transition nine: response, reservation, site counts, block, allowed reservations, version of the agent's data, PINs, watermark,
--   named compartments
-- ARGV[1] how long responses are stored, in ms
-- ARGV[2] changes, for each transition: u8 length of what follows; u8 number of events; u8 length and fingerprint, '': no response is stored;
--   u32 revision that the caller read; 16 bytes of handle; '+' and u48 deadline in ms, '-' none, '=' unchanged; 4 bytes of site number; u8 class;
--   i8 change of held; i8 change of occupied; '+' allowed, '-' not allowed, '=' unchanged; u8 length and PIN: a PIN entry and u32 generation of its key; or u32 of a new end
--   of validity, followed, if the bundle's PIN must be valid until then too, by 16 bytes of the bundle's handle and u32 s of its longest
--   validity; '-': none; '': unchanged; double sequence number of the device's report, 0: no report; u8 length and the
--   report's hashes and fence, see judge_report in includes/report-watermark.lua; u48 ms when the parcel was deposited or
--   collected, if occupied changes; u8 length and named compartment that is freed, '': none; the same of the one that is taken; '+' overdue,
--   '-' not overdue, '=' unchanged; u8 1 if the reservation leaves the queue; u48 the gateway's time in ms if a place may become free, else 0; u8 length
--   and participant in its network if the reservation is HELD, else ''; u8 1 if it is HELD no longer; u32 the most events that the reservation may have
--   afterwards, 0: any number
-- then for each transition: head and message of the reservation to write, '': unchanged; the response; its events. They are separate arguments,
--   not part of the changes, since the time to cut a part out of a string grows with the whole string.
-- Returns {'applied', then for each transition a tag and a value, '' if it has none}:
--   'done' | 'repeated', response | 'reused' | 'stale' | 'gone' | 'pin_taken' | 'many_events', how many there are | 'failed', reason
--   | tag and watermark of judge_report

--- @include stored-responses
--- @include events
--- @include report-watermark
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include reports
--- @include shortages
--- @include named-compartments
--- @include pins
--- @include fields
--- @include wire
--- @include allowed-changes
--- @include queue

local response_ms, changes = ARGV[1], ARGV[2]
local DEADLINES, EVENTS, OVERDUE, WAITING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local HELD, SHORTAGES = KEYS[5], KEYS[6]
local KEYS_BEFORE, KEYS_EACH = 6, 9

local function is_pin_taken(pins_key, handle, entry)
  local pins = redis.call('HGETALL', pins_key)
  for field = 1, #pins, 2 do
    if pins[field] ~= handle and string.sub(pins[field + 1], 1, PIN_HASH_BYTES) == string.sub(entry, 1, PIN_HASH_BYTES) then
      return true
    end
  end
  return false
end

-- Writes what the entry says. Returns the handle, and the field of the bundle if that may have changed too.
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
    return handle .. ' ' .. bundle_field
  end
  return handle
end

-- Notes a shortage that a change of counts began or ended: a late deposit takes a place that is promised to another.
local function note_change_of_shortage(counts_key, number, class, before, moved_ms)
  local site_counts = redis.call('HGET', counts_key, number)
  local _, in_service, occupied, held, by_others = class_counts(before, class)
  local _, _, occupied_now, held_now, by_others_now = class_counts(site_counts, class)
  local was, is = is_short(in_service, occupied, held, by_others), is_short(in_service, occupied_now, held_now, by_others_now)
  if was ~= is then
    local observed = report_times(report_of(site_counts)) or 0
    note_shortage(
      SHORTAGES, string.format('%d', struct.unpack('<I4', number)), is_site_short(site_counts), string.format('%.0f', math.max(1, moved_ms, observed))
    )
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
  -- A deposit that uses its own hold, which is nearly every one, changes nothing here.
  if held_change + occupied_change ~= 0 then
    note_change_of_shortage(counts_key, number, class, site_counts, moved_ms)
  end
  return nil
end

local function apply(keys, bytes, events, at)
  local fingerprint, expected, handle, deadline_kind, deadline, number, class, held_change, occupied_change, allowed,
    entry, sequence, link, moved_ms, freed_compartment, taken_compartment, overdue, leaves_queue, now, holder, ends_hold, events_max =
    struct.unpack('<Bc0I4c16c1I6c4Bbbc1Bc0dBc0I6Bc0Bc0c1BI6Bc0BI4', changes, at)
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
    local tag, judged = judge_report(watermark_key, watermark, sequence, link)
    if tag then
      return tag, judged
    end
    watermark = judged
  end
  if not stored then
    return 'gone'
  end
  local revision, message_bytes = struct.unpack('<I4I2', stored)
  if revision ~= expected then
    return 'stale'
  end
  if events_max > 0 then
    local recorded = events_in(stored, message_bytes)
    if recorded + events > events_max then
      return 'many_events', recorded
    end
  end
  if #entry == NEW_PIN_BYTES then
    entry = stored_pin(pins_key, entry)
    if not entry then
      return 'stale'
    end
    if is_pin_taken(pins_key, handle, entry) then
      return 'pin_taken'
    end
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
  local subjects = entry == '' and handle or write_pin(pins_key, handle, entry)
  local entries = ''
  for number = 1, events do
    entries = entries .. append_event(EVENTS, ARGV[bytes + 1 + number])
  end
  local record = amended_record(stored, message_bytes, written, entries)
  local writes = { reservation_key, record }
  if written ~= '' or allowed ~= '=' or entry ~= '' then
    writes[3], writes[4] = version_key, string.format('%.0f', tonumber(version or '0') + 1)
  end
  redis.call('MSET', unpack(writes))
  if writes[4] then
    note_allowed_change(version_key, tonumber(writes[4]), subjects)
  end
  if sequence > 0 then
    record_report(watermark_key, watermark, link)
  end
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
  local gives_share = false
  if holder ~= '' and ends_hold == 1 then
    gives_share = uncount_hold(HELD, holder, number, class, handle)
  elseif holder ~= '' and deadline_kind == '+' then
    redis.call('ZADD', held_key(HELD, holder), 'XX', deadline, handle)
  end
  if now > 0 and (held_change + occupied_change < 0 or freed_compartment ~= '' or gives_share) then
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
