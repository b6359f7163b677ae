#!lua
-- Moves a reservation on and does everything that goes with it: counts, index, deadline, events, what its site's agent may know, the
-- device's watermark, the remembered answer. All or nothing. Safe to run twice: the second run finds the answer, the watermark or the
-- revision of the first.
--
-- KEYS[1] answer  KEYS[2] reservation  KEYS[3] deadlines  KEYS[4] events  KEYS[5] tallies  KEYS[6] block
-- KEYS[7] allowed  KEYS[8] version of what is allowed  KEYS[9] pins  KEYS[10] watermark
-- KEYS[11] compartments taken by name  KEYS[12] overdue  KEYS[13] who waits, see includes/queue.lua
-- ARGV[1] fingerprint of 16 bytes, empty: no answer is remembered
-- ARGV[2] ms for which the answer is remembered  ARGV[3] answer
-- ARGV[4] revision that the caller read  ARGV[5] head and message of the reservation to write, empty: as it was
-- ARGV[6] handle  ARGV[7] deadline in ms, '-': none, empty: as it was
-- ARGV[8] site number, 4 bytes  ARGV[9] class  ARGV[10] change of held  ARGV[11] change of occupied
-- ARGV[12] '+' allowed, '-' no longer, empty: as it was
-- ARGV[13] PIN entry, or 4 bytes of another end for the one that there is; '-': none, empty: as it was
-- ARGV[14] sequence number of the device's report, empty: no report
-- ARGV[15] when the parcel went in or came out, in ms, empty where occupied does not change
-- ARGV[16] compartment that it no longer has by name, and ARGV[17] the one that it has from now on, empty: none
-- ARGV[18] '+' overdue from now on, '-' no longer, empty: as it was
-- ARGV[19] '1' where it waits no more, else empty
-- ARGV[20] the gateway's time, in ms, where a place may become free; else empty
-- ARGV[21..] events
-- Returns {'done'} | {'repeated', answer} | {'reused'} | {'stale'} | {'gone'} | {'pin_taken'} | {'seen'} | {'gap', watermark}

--- @include answers
--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include wire
--- @include queue

local fingerprint, handle, entry, sequence = ARGV[1], ARGV[6], ARGV[13], ARGV[14]

if fingerprint ~= '' then
  local known = remembered(KEYS[1], fingerprint)
  if known then
    return known
  end
end
if sequence ~= '' then
  local watermark = tonumber(redis.call('GET', KEYS[10]) or '0')
  if tonumber(sequence) <= watermark then
    return { 'seen' }
  elseif tonumber(sequence) > watermark + 1 then
    return { 'gap', watermark }
  end
end
local stored = redis.call('GETRANGE', KEYS[2], 0, RESERVATION_HEAD_BYTES - 1)
if stored == '' then
  return { 'gone' }
end
local revision, message_bytes = struct.unpack('<I4I2', stored)
if revision ~= tonumber(ARGV[4]) then
  return { 'stale' }
end
if #entry > 4 then
  local pins = redis.call('HGETALL', KEYS[9])
  for field = 1, #pins, 2 do
    if pins[field] ~= handle and string.sub(pins[field + 1], 1, 32) == string.sub(entry, 1, 32) then
      return { 'pin_taken' }
    end
  end
end

local held_change, occupied_change = tonumber(ARGV[10]), tonumber(ARGV[11])
if held_change ~= 0 or occupied_change ~= 0 then
  local tally = redis.call('HGET', KEYS[5], ARGV[8])
  if not tally then
    -- Its site was filed elsewhere meanwhile.
    return { 'stale' }
  end
  local moved_at, beyond_change = last_moved(tally), 0
  if occupied_change ~= 0 then
    local moves_at = tonumber(ARGV[15])
    local observed, ttl = report_times(report_of(tally))
    -- The last report saw this parcel gone and was compared with a record that had it inside: it counted one too little beyond our own.
    if occupied_change < 0 and observed and ttl ~= OWN_COUNTS and moves_at <= observed then
      beyond_change = -occupied_change
    end
    moved_at = math.max(moved_at, moves_at)
  end
  local failure = move_counts(
    KEYS[5], KEYS[6], ARGV[8], tally, tonumber(ARGV[9]), held_change, occupied_change, beyond_change, moved_at,
    record_offset(KEYS[6], ARGV[8])
  )
  if failure then
    return failure
  end
end
if ARGV[16] ~= '' then
  free_name(KEYS[11], ARGV[16], handle)
end
if ARGV[17] ~= '' then
  take_name(KEYS[11], ARGV[17], handle)
end
if ARGV[7] == '-' then
  redis.call('ZREM', KEYS[3], handle)
elseif ARGV[7] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[7], handle)
end
if ARGV[12] == '+' then
  redis.call('SADD', KEYS[7], handle)
elseif ARGV[12] == '-' then
  redis.call('SREM', KEYS[7], handle)
end
if ARGV[18] == '+' then
  redis.call('ZADD', KEYS[12], 0, handle)
elseif ARGV[18] == '-' then
  redis.call('ZREM', KEYS[12], handle)
end
if entry == '-' then
  redis.call('HDEL', KEYS[9], handle)
elseif #entry == 4 then
  local pin = redis.call('HGET', KEYS[9], handle)
  if pin then
    redis.call('HSET', KEYS[9], handle, string.sub(pin, 1, -5) .. entry)
  end
elseif entry ~= '' then
  redis.call('HSET', KEYS[9], handle, entry)
end
if ARGV[5] ~= '' or ARGV[12] ~= '' or entry ~= '' then
  redis.call('INCR', KEYS[8])
end
local entries = ''
for index = 21, #ARGV do
  entries = entries .. append_event(KEYS[4], ARGV[index])
end
write_reservation(KEYS[2], message_bytes, ARGV[5], entries)
local queue = {
  waiting = KEYS[13], deadlines = KEYS[3], events = KEYS[4], now = tonumber(ARGV[20]),
  reservations = string.sub(KEYS[2], 1, -#handle - 1),
}
if ARGV[19] == '1' then
  local waiting = waiting_at(queue, handle)
  if waiting then
    leave_queue(queue, handle, waiting)
  end
end
if queue.now and (held_change + occupied_change < 0 or ARGV[16] ~= '') then
  promote_safely(queue, {
    number = ARGV[8], tallies = KEYS[5], block = KEYS[6], names = KEYS[11], allowed = KEYS[7], version = KEYS[8],
  })
end
publish_events(KEYS[4])
if sequence ~= '' then
  redis.call('SET', KEYS[10], sequence)
end
if fingerprint ~= '' then
  remember(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
end
return { 'done' }
