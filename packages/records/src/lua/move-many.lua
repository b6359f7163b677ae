#!lua
-- Moves reservations of one region on, in their order, each with everything that goes with it: counts, index, deadline, events, what its site's
-- agent may know, the device's watermark, the remembered answer. All of one or nothing of it, whatever becomes of the others. Safe to run twice: the
-- second run finds the answer, the watermark or the revision of the first. Many in one step, as lua/hold-many.lua takes holds: to begin the script
-- takes as long as to move one on.
--
-- KEYS[1] deadlines  KEYS[2] events  KEYS[3] overdue  KEYS[4] who waits, see includes/queue.lua
-- then for each move nine: answer, reservation, tallies, block, allowed, version of what is allowed, pins, watermark, compartments taken by name
-- ARGV[1] ms for which answers are remembered
-- ARGV[2] what changes, for each move: u8 length of what follows; u8 number of events; u8 length and fingerprint, empty: no answer is remembered;
--   u32 revision that the caller read; 16 bytes of handle; '+' and u48 deadline in ms, '-' none, '=' as it was; 4 bytes of site number; u8 class;
--   i8 change of held; i8 change of occupied; '+' allowed, '-' no longer, '=' as it was; u8 length and PIN entry, or u32 of another end for the one
--   that there is, and where its bundle's is to open until then too, 16 bytes of the bundle's handle and u32 s from its begin for which that one opens at
--   most, '-': none, empty: as it was; double number of the device's report, 0: no report; u48 ms when the parcel went in or came out, where
--   occupied changes; u8 length and compartment that it no longer has by name, and the same of the one that it has from now on, empty: none; '+' overdue
--   from now on, '-' no longer, '=' as it was; u8 1 where it waits no more; u48 the gateway's time, in ms, where a place may become free, else 0
-- then for each move: head and message of the reservation to write, empty: as it was; the answer; its events. By themselves and not within what
--   changes, as Lua reads every byte of a string once more for each string that is cut out of it.
-- Returns {'moved', then for each move a tag and a value, empty where it has none}:
--   'done' | 'repeated', answer | 'reused' | 'stale' | 'gone' | 'pin_taken' | 'seen', watermark | 'gap', watermark | 'failed', why

--- @include answers
--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

local answer_ms, changes = ARGV[1], ARGV[2]
local DEADLINES, EVENTS, OVERDUE, WAITING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local KEYS_BEFORE, KEYS_EACH = 4, 9

-- A PIN entry: 32 bytes of hash, u32 begin, u32 end.
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
      -- Another parcel of the bundle may have longer.
      local bundle_end = math.min(ends, bundle_begins + most)
      if bundle_end > bundle_ends then
        redis.call('HSET', pins_key, bundle_field, string.sub(bundle_pin, 1, -5) .. struct.pack('<I4', bundle_end))
      end
    end
  end
end

-- Gives what went wrong, or nil.
local function count_place(tallies_key, block_key, block, number, class, held_change, occupied_change, moves_at)
  local tally = redis.call('HGET', tallies_key, number)
  if not tally then
    -- Its site was filed elsewhere meanwhile.
    return 'stale'
  end
  local moved_at, beyond_change = last_moved(tally), 0
  if occupied_change ~= 0 then
    local observed, ttl = report_times(report_of(tally))
    -- The last report saw this parcel gone and was compared with a record that had it inside: it counted one too little beyond our own.
    if occupied_change < 0 and observed and ttl ~= OWN_COUNTS and moves_at <= observed then
      beyond_change = -occupied_change
    end
    moved_at = math.max(moved_at, moves_at)
  end
  local failure = move_counts(
    tallies_key, block_key, number, tally, class, held_change, occupied_change, beyond_change, moved_at,
    block and offset_in(block, number)
  )
  if failure then
    return 'failed', failure.err
  end
  return nil
end

local function move_on(keys, bytes, events, at)
  local fingerprint, expected, handle, deadline_kind, deadline, number, class, held_change, occupied_change, allowed,
    entry, sequence, moves_at, name_before, name_after, overdue, waits_no_more, now =
    struct.unpack('<Bc0I4c16c1I6c4Bbbc1Bc0dI6Bc0Bc0c1BI6', changes, at)
  local written = ARGV[bytes]
  local answer_key, reservation_key, tallies_key, block_key, allowed_key, version_key, pins_key, watermark_key, names_key =
    unpack(KEYS, keys + 1, keys + KEYS_EACH)

  local counts_change = held_change ~= 0 or occupied_change ~= 0
  -- What would take five commands: most of a move's time goes into calling the server.
  local stored, version, watermark, remembered_record, block = unpack(redis.call(
    'MGET', reservation_key, version_key, watermark_key, answer_key, counts_change and block_key or version_key
  ))
  if fingerprint ~= '' then
    local known = remembered_in(remembered_record, fingerprint)
    if known then
      return known[1], known[2]
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
    local tag, why = count_place(tallies_key, block_key, block, number, class, held_change, occupied_change, moves_at)
    if tag then
      return tag, why
    end
  end

  if name_before ~= '' then
    free_name(names_key, name_before, handle)
  end
  if name_after ~= '' then
    take_name(names_key, name_after, handle)
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
  if waits_no_more == 1 then
    local waiting = waiting_at(queue, handle)
    if waiting then
      leave_queue(queue, handle, waiting)
    end
  end
  if now > 0 and (held_change + occupied_change < 0 or name_before ~= '') then
    promote_safely(queue, {
      number = number, tallies = tallies_key, block = block_key, names = names_key, allowed = allowed_key, version = version_key,
    })
  end
  if fingerprint ~= '' then
    remember(answer_key, fingerprint, 'A', ARGV[bytes + 1], answer_ms)
  end
  return 'done'
end

local outcomes, keys, bytes, at = { 'moved' }, KEYS_BEFORE, 3, 1
while at <= #changes do
  local length, events = string.byte(changes, at, at + 1)
  -- One that fails must not keep the others from having all that goes with them.
  local is_done, tag, value = pcall(move_on, keys, bytes, events, at + 2)
  if not is_done then
    tag, value = 'failed', type(tag) == 'table' and tag.err or tostring(tag)
  end
  outcomes[#outcomes + 1] = tag
  outcomes[#outcomes + 1] = value or ''
  keys, bytes, at = keys + KEYS_EACH, bytes + 2 + events, at + 1 + length
end
publish_events(EVENTS)
return outcomes
