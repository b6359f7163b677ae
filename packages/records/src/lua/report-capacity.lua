#!lua
-- Applies a capacity report of a site, or ends its reporting: counts and index together. Atomic. Idempotent: a repeated run finds the report.
--
-- A report counts everything that was in the places when it was observed, including parcels of this network. For each class the surplus of the
-- report over the occupied places that the store counts is stored as occupied by others, and subtracted from free to promise besides occupied
-- and held. So no place is ever promised twice, in whatever order events are recorded:
--
-- - Every movement that was recorded so far must have happened before the observation, else the report is outdated: it might lack a parcel that
--   the store counts, which would hide a parcel of somebody else.
-- - A parcel that was deposited before the observation but is recorded after it is counted twice until the next report.
-- - A parcel that was collected before the observation but is recorded after it: lua/apply-transitions.lua adds one to occupied by others.
-- - A parcel that moves after the observation is not part of the surplus, and is counted when it is recorded.
--
-- KEYS[1] site  KEYS[2] block  KEYS[3] site counts
-- KEYS[4] queues, see includes/queue.lua  KEYS[5] deadlines  KEYS[6] events
-- KEYS[7] named compartments  KEYS[8] allowed reservations  KEYS[9] version of the agent's data  KEYS[10] shortages of sites
-- ARGV[1] site number, 4 bytes   ARGV[2] head of the site's record that the caller read
-- ARGV[3] when it was observed, in ms
-- ARGV[4] its ttl in s, from 1; '-': the reporting ends, and the gateway's own counts apply
-- ARGV[5] occupied and out of service of each class, u16 each; '' if the reporting ends
-- ARGV[6] the gateway's time, in ms  ARGV[7] prefix of the reservations' keys
-- ARGV[8] the most places of each class that can be used by the word of the site's device, u16
-- Returns {'recorded'} | {'outdated'} | {'stale'}

--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include reports
--- @include shortages
--- @include named-compartments
--- @include fields
--- @include wire
--- @include allowed-changes
--- @include queue

local site_counts = redis.call('HGET', KEYS[3], ARGV[1])
if not site_counts or redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1) ~= ARGV[2] then
  return { 'stale' }
end

local ends = ARGV[4] == '-'
local observed = tonumber(ARGV[3])
local ttl = ends and REPORTING_ENDED or tonumber(ARGV[4])
local report = struct.pack('<I6I2', observed, ttl) .. ARGV[5]
if report_of(site_counts) == report then
  return { 'recorded' }
end
local last_observed = report_times(report_of(site_counts))
if last_observed and observed <= last_observed then
  return { 'outdated' }
end
if not ends then
  local is_over = (math.floor(observed / 1000) + ttl) * 1000 <= tonumber(ARGV[6])
  if observed <= last_moved(site_counts) or is_over then
    return { 'outdated' }
  end
end

local counts, free, short = {}, {}, false
for class = 0, class_count(site_counts) - 1 do
  local installed, _, occupied, held = class_counts(site_counts, class)
  local in_service, by_others = places_in_service(installed, report, ARGV[8], class), 0
  if not ends then
    local reported = struct.unpack('<I2', ARGV[5], class * 4 + 1)
    by_others = reported - occupied
  end
  counts[class + 1] = packed_counts(installed, in_service, occupied, held, by_others)
  free[class + 1] = free_byte(in_service, occupied, held, by_others)
  short = short or is_short(in_service, occupied, held, by_others)
end
redis.call('HSET', KEYS[3], ARGV[1], packed_site_counts(last_moved(site_counts), counts, report))
note_shortage(KEYS[10], string.format('%d', struct.unpack('<I4', ARGV[1])), short, ARGV[3])
local offset = record_offset(KEYS[2], ARGV[1])
if offset then
  redis.call('SETRANGE', KEYS[2], offset + REPORTS_OFFSET, reports_byte(observed, ttl))
  redis.call('SETRANGE', KEYS[2], offset + OBSERVED_OFFSET, observed_bytes(observed, ttl))
  redis.call('SETRANGE', KEYS[2], offset + FREE_OFFSET, table.concat(free))
end
promote_safely(
  { waiting = KEYS[4], deadlines = KEYS[5], events = KEYS[6], reservations = ARGV[7], now = tonumber(ARGV[6]) },
  { number = ARGV[1], counts = KEYS[3], block = KEYS[2], compartments = KEYS[7], allowed = KEYS[8], version = KEYS[9] }
)
publish_events(KEYS[6])
return { 'recorded' }
