#!lua
-- Writes the facts of a site and files it in the index, or takes it out: all or nothing. Safe to run twice. What the site reported of its
-- places stays in force where they are the same as before; else the availability is unknown until the next report.
--
-- KEYS[1] site  KEYS[2] block where it goes  KEYS[3] block where it was  KEYS[4] occupied cells  KEYS[5] profiles
-- KEYS[6] opening times
-- ARGV[1] site number, 4 bytes          ARGV[2] revision that the caller read, 0: the site did not exist
-- ARGV[3] facts                         ARGV[4] record; profile, opening hours, report and counts empty
-- ARGV[5] installed of each class, u16  ARGV[6] size profile
-- ARGV[7] cell where it goes            ARGV[8] its number in the region
-- ARGV[9] cell where it was             ARGV[10] its number in the region
-- ARGV[11] '1' to file it, '0' to take it out
-- ARGV[12] '1' where every class that existed keeps its index and its id
-- ARGV[13] opening times, '' where it never closes
-- Returns {'put', revision} | {'stale', revision now} | {'in_use', class} | {'profiles_full'} | {'opening_times_full'}

--- @include site-index

local site_number, expected_revision, facts, record = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local installed_bytes, profile, new_cell, old_cell = ARGV[5], ARGV[6], ARGV[7], ARGV[9]
local opening_times = ARGV[13]

-- The index of an item in a list to which it is appended if it is not there, or nil where its number would not fit into `greatest`.
local function index_in(list_key, item, greatest)
  local index = redis.call('LPOS', list_key, item)
  if index then
    return index
  end
  index = redis.call('LLEN', list_key)
  if index > greatest then
    return nil
  end
  redis.call('RPUSH', list_key, item)
  return index
end

local old = redis.call('HMGET', KEYS[1], 'revision', 'capacity', 'cell', 'report')
local revision = tonumber(old[1] or '0')
if revision ~= expected_revision or (revision > 0 and old[3] ~= old_cell) then
  return { 'stale', revision }
end

local old_capacity = old[2] or ''
local old_classes = #old_capacity / CLASS_BYTES
local classes = #installed_bytes / 2
local keeps_classes = ARGV[12] == '1'
local same_places = keeps_classes and classes == old_classes
local capacity, free = {}, {}
for class = 0, math.max(old_classes, classes) - 1 do
  local was_installed, in_service, occupied, held, beyond = 0, 0, 0, 0, 0
  if class < old_classes then
    was_installed, in_service, occupied, held, beyond = class_counts(old_capacity, class)
  end
  local in_use = occupied + held
  if in_use > 0 and (class >= classes or not keeps_classes) then
    return { 'in_use', class }
  end
  if class < classes then
    local installed = struct.unpack('<I2', installed_bytes, class * 2 + 1)
    if in_use > installed then
      return { 'in_use', class }
    end
    -- What is out of order stays out of order.
    in_service = math.max(0, installed - (was_installed - in_service))
    same_places = same_places and installed == was_installed
    beyond = keeps_classes and beyond or 0
    capacity[class + 1] = packed_counts(installed, in_service, occupied, held, beyond)
    free[class + 1] = free_byte(in_service, occupied, held, beyond)
  end
end

local report = old[4]
local observed, ttl = report_times(report)
if observed and ttl ~= OWN_COUNTS and not same_places then
  -- What was reported was said of other places. It holds no more, and nothing observed before it comes in after it.
  ttl = 0
  report = struct.pack('<I6I2', observed, ttl)
end

-- A record has 16 bits for either number.
local profile_number = index_in(KEYS[5], profile, 65535)
if not profile_number then
  return { 'profiles_full' }
end
local hours_number = 0
if opening_times ~= '' then
  local index = index_in(KEYS[6], opening_times, 65534)
  if not index then
    return { 'opening_times_full' }
  end
  hours_number = index + 1
end

revision = revision + 1
if redis.call('EXISTS', KEYS[3]) == 1 then
  local offset = record_offset(KEYS[3], site_number, -1)
  if offset then
    local block = redis.call('GET', KEYS[3])
    local rest = string.sub(block, 1, offset) .. string.sub(block, offset + RECORD_BYTES + 1)
    if #rest == 0 then
      redis.call('DEL', KEYS[3])
      redis.call('SETBIT', KEYS[4], ARGV[10], 0)
    else
      redis.call('SET', KEYS[3], rest)
    end
  end
end
if ARGV[11] == '1' then
  local filed = string.sub(record, 1, 12)
    .. struct.pack('<I4', revision)
    .. string.sub(record, 17, 22)
    .. struct.pack('<I2', profile_number)
    .. string.sub(record, 25, 26)
    .. struct.pack('<I2', hours_number)
    .. observed_bytes(observed, ttl)
    .. table.concat(free)
  redis.call('APPEND', KEYS[2], filed .. string.rep('\0', RECORD_BYTES - #filed))
  redis.call('SETBIT', KEYS[4], ARGV[8], 1)
end
redis.call(
  'HSET', KEYS[1],
  'revision', revision, 'facts', facts, 'capacity', table.concat(capacity), 'cell', new_cell, 'indexed', ARGV[11]
)
if report then
  redis.call('HSET', KEYS[1], 'report', report)
end
return { 'put', revision }
