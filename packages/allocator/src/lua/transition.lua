#!lua
-- Moves a reservation on and does everything that goes with it: counts, index, deadline, events, what its site's agent may know, the
-- device's watermark, the remembered answer. All or nothing. Safe to run twice: the second run finds the answer, the watermark or the
-- revision of the first.
--
-- KEYS[1] answer  KEYS[2] reservation  KEYS[3] deadlines  KEYS[4] events  KEYS[5] chain  KEYS[6] site  KEYS[7] block
-- KEYS[8] allowed  KEYS[9] pins  KEYS[10] watermark
-- ARGV[1] fingerprint of 16 bytes, empty: no answer is remembered
-- ARGV[2] ms for which the answer is remembered  ARGV[3] answer
-- ARGV[4] revision that the caller read  ARGV[5] revision and reservation to write, empty: as it was
-- ARGV[6] handle  ARGV[7] deadline in ms, '-': none, empty: as it was
-- ARGV[8] site number, 4 bytes  ARGV[9] class  ARGV[10] change of held  ARGV[11] change of occupied
-- ARGV[12] '+' allowed, '-' no longer, empty: as it was
-- ARGV[13] PIN entry, '-': none, empty: as it was
-- ARGV[14] sequence number of the device's report, empty: no report
-- ARGV[15] cell whose block KEYS[7] is
-- ARGV[16] when the parcel went in or came out, in ms, empty where occupied does not change
-- ARGV[17..] events
-- Returns {'done'} | {'repeated', answer} | {'reused'} | {'stale'} | {'gone'} | {'pin_taken'} | {'seen'} | {'gap', watermark}

--- @include answers
--- @include events
--- @include site-index

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
local stored = redis.call('GETRANGE', KEYS[2], 0, 3)
if stored == '' then
  return { 'gone' }
end
if struct.unpack('<I4', stored) ~= tonumber(ARGV[4]) then
  return { 'stale' }
end
if #entry > 1 then
  local pins = redis.call('HGETALL', KEYS[9])
  for field = 1, #pins, 2 do
    if pins[field] ~= handle and string.sub(pins[field + 1], 1, 32) == string.sub(entry, 1, 32) then
      return { 'pin_taken' }
    end
  end
end

local held_change, occupied_change = tonumber(ARGV[10]), tonumber(ARGV[11])
if held_change ~= 0 or occupied_change ~= 0 then
  local site = redis.call('HMGET', KEYS[6], 'capacity', 'indexed', 'cell', 'report', 'occupancy-at')
  if site[3] ~= ARGV[15] then
    return { 'stale' }
  end
  local moved_at, beyond_change = tonumber(ARGV[16]), 0
  local observed, ttl = report_times(site[4])
  -- The last report saw this parcel gone and was compared with a record that had it inside: it counted one too little beyond our own.
  if occupied_change < 0 and observed and ttl ~= OWN_COUNTS and moved_at <= observed then
    beyond_change = -occupied_change
  end
  local failure = move_counts(
    KEYS[6], KEYS[7], ARGV[8], site[1], tonumber(ARGV[9]), held_change, occupied_change, beyond_change, site[2], -1
  )
  if failure then
    return failure
  end
  if occupied_change ~= 0 and moved_at > tonumber(site[5] or '0') then
    redis.call('HSET', KEYS[6], 'occupancy-at', ARGV[16])
  end
end
if ARGV[5] ~= '' then
  redis.call('SET', KEYS[2], ARGV[5])
end
if ARGV[7] == '-' then
  redis.call('ZREM', KEYS[3], handle)
elseif ARGV[7] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[7], handle)
end
if ARGV[12] == '+' then
  redis.call('SADD', KEYS[8], handle)
elseif ARGV[12] == '-' then
  redis.call('SREM', KEYS[8], handle)
end
if entry == '-' then
  redis.call('HDEL', KEYS[9], handle)
elseif entry ~= '' then
  redis.call('HSET', KEYS[9], handle, entry)
end
if ARGV[5] ~= '' or ARGV[12] ~= '' or entry ~= '' then
  redis.call('HINCRBY', KEYS[6], 'allowed-version', 1)
end
for index = 17, #ARGV do
  append_event(KEYS[4], KEYS[5], ARGV[index])
end
if sequence ~= '' then
  redis.call('SET', KEYS[10], sequence)
end
if fingerprint ~= '' then
  remember(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
end
return { 'done' }
