#!lua
-- Puts in force what a site reports of its places, or ends its reports: counts and index together, all or nothing. Safe to run twice: the
-- second run finds the report of the first.
--
-- A report counts everything that was inside when it was observed, parcels of this network too. What it counted beyond the parcels that are
-- recorded as inside is kept for each class, and taken from what may be promised, beside what is occupied and held. So whatever is recorded
-- in another order than it happened, a place is never promised twice:
--
-- - Every movement recorded so far happened before the observation; else the report is outdated, for it may lack a parcel that the record
--   has, and that parcel would make up for another's.
-- - A parcel that went in before the observation and is recorded after it is counted twice until the next report.
-- - A parcel that came out before the observation and is recorded after it: lua/move-many.lua then counts one more beyond our own.
-- - One that moves after the observation is in neither, and is counted when it is recorded.
--
-- KEYS[1] site  KEYS[2] block  KEYS[3] tallies
-- KEYS[4] who waits, see includes/queue.lua: those get what is free  KEYS[5] deadlines  KEYS[6] events
-- KEYS[7] compartments taken by name  KEYS[8] allowed  KEYS[9] version of what is allowed
-- ARGV[1] site number, 4 bytes   ARGV[2] head of the site's record, as the caller read it
-- ARGV[3] when it was observed, in ms
-- ARGV[4] how long it holds, in s, from 1; '-': the reports end, and the gateway's own counts hold
-- ARGV[5] occupied and out of service of each class, u16 each; '' where the reports end
-- ARGV[6] the gateway's time, in ms  ARGV[7] what the keys of reservations begin with
-- Returns {'recorded'} | {'outdated'} | {'stale'}

--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

local tally = redis.call('HGET', KEYS[3], ARGV[1])
if not tally or redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1) ~= ARGV[2] then
  return { 'stale' }
end

local ends = ARGV[4] == '-'
local observed = tonumber(ARGV[3])
local ttl = ends and OWN_COUNTS or tonumber(ARGV[4])
local report = struct.pack('<I6I2', observed, ttl) .. ARGV[5]
if report_of(tally) == report then
  return { 'recorded' }
end
local last_observed = report_times(report_of(tally))
if last_observed and observed <= last_observed then
  return { 'outdated' }
end
if not ends then
  local is_over = (math.floor(observed / 1000) + ttl) * 1000 <= tonumber(ARGV[6])
  if observed <= last_moved(tally) or is_over then
    return { 'outdated' }
  end
end

local counts, free = {}, {}
for class = 0, class_count(tally) - 1 do
  local installed, _, occupied, held = class_counts(tally, class)
  local in_service, beyond = installed, 0
  if not ends then
    local reported, out_of_service = struct.unpack('<I2I2', ARGV[5], class * 4 + 1)
    in_service = installed - out_of_service
    beyond = reported - occupied
  end
  counts[class + 1] = packed_counts(installed, in_service, occupied, held, beyond)
  free[class + 1] = free_byte(in_service, occupied, held, beyond)
end
redis.call('HSET', KEYS[3], ARGV[1], packed_tally(last_moved(tally), counts, report))
local offset = record_offset(KEYS[2], ARGV[1])
if offset then
  redis.call('SETRANGE', KEYS[2], offset + REPORTS_OFFSET, reports_byte(observed, ttl))
  redis.call('SETRANGE', KEYS[2], offset + OBSERVED_OFFSET, observed_bytes(observed, ttl) .. table.concat(free))
end
promote_safely(
  { waiting = KEYS[4], deadlines = KEYS[5], events = KEYS[6], reservations = ARGV[7], now = tonumber(ARGV[6]) },
  { number = ARGV[1], tallies = KEYS[3], block = KEYS[2], names = KEYS[7], allowed = KEYS[8], version = KEYS[9] }
)
publish_events(KEYS[6])
return { 'recorded' }
