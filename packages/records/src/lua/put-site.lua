#!lua
-- Writes the facts of a site and files it in the index, or takes it out: all or nothing. Safe to run twice. What the site reported of its
-- places stays in force where they are the same as before; else the availability is unknown until the next report.
--
-- KEYS[1] site  KEYS[2] block where it goes  KEYS[3] block where it was  KEYS[4] occupied cells  KEYS[5] profiles
-- KEYS[6] opening times  KEYS[7] tallies where it goes  KEYS[8] tallies where it was
-- KEYS[9] compartments taken by name  KEYS[10] allowed  KEYS[11] version of what is allowed
-- KEYS[12] who waits, see includes/queue.lua: those get what is free  KEYS[13] deadlines  KEYS[14] events
-- ARGV[1] site number, 4 bytes
-- ARGV[2] head of the site's record, as the caller read it; '' where the site does not exist
-- ARGV[3] the site's record               ARGV[4] record of the index; profile, opening hours, report and counts empty
-- ARGV[5] installed of each class, u16    ARGV[6] size profile
-- ARGV[7] number, in the region, of the cell where it goes  ARGV[8] of the cell where it was
-- ARGV[9] '1' to file it, '0' to take it out
-- ARGV[10] '1' where every class that existed keeps its index and its id
-- ARGV[11] opening times, '' where it never closes
-- ARGV[12] the gateway's time, in ms  ARGV[13] what the keys of reservations begin with
-- ARGV[14] what would do for each that waits there, as it was read: u8 length and handle, u16 length and number of classes with classes
-- ARGV[15..] compartments that it has no more, or in another size class
-- Returns {'put'} | {'stale'} | {'in_use', class} | {'compartment_in_use', compartment from 1}
--   | {'profiles_full'} | {'opening_times_full'}

--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

local site_number, head, record = ARGV[1], ARGV[2], ARGV[4]
local installed_bytes, profile, opening_times = ARGV[5], ARGV[6], ARGV[11]

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

local is_new = head == ''
if is_new and redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'stale' }
elseif not is_new and redis.call('GETRANGE', KEYS[1], 0, #head - 1) ~= head then
  return { 'stale' }
end

local queue = { waiting = KEYS[12], deadlines = KEYS[13], events = KEYS[14], reservations = ARGV[13], now = tonumber(ARGV[12]) }
local site_text = string.format('%d', struct.unpack('<I4', site_number))
local refitted, at = {}, 1
while at <= #ARGV[14] do
  local handle, classes
  handle, classes, at = struct.unpack('<Bc0I2c0', ARGV[14], at)
  if not redis.call('ZSCORE', site_queue(queue, site_text), handle) then
    return { 'stale' }
  end
  refitted[#refitted + 1] = { handle = handle, classes = classes }
end
if redis.call('ZCARD', site_queue(queue, site_text)) ~= #refitted then
  return { 'stale' }
end

if #ARGV > 14 then
  for index, holders in ipairs(redis.call('HMGET', KEYS[9], unpack(ARGV, 15))) do
    if holders then
      return { 'compartment_in_use', index }
    end
  end
end

local old_tally = not is_new and redis.call('HGET', KEYS[8], site_number) or nil
local old_classes = old_tally and class_count(old_tally) or 0
local classes = #installed_bytes / 2
local keeps_classes = ARGV[10] == '1'
local same_places = keeps_classes and classes == old_classes
local counts, free = {}, {}
for class = 0, math.max(old_classes, classes) - 1 do
  local was_installed, in_service, occupied, held, beyond = 0, 0, 0, 0, 0
  if class < old_classes then
    was_installed, in_service, occupied, held, beyond = class_counts(old_tally, class)
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
    counts[class + 1] = packed_counts(installed, in_service, occupied, held, beyond)
    free[class + 1] = free_byte(in_service, occupied, held, beyond)
  end
end

local report = old_tally and report_of(old_tally)
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

local offset = record_offset(KEYS[3], site_number)
if offset then
  local block = redis.call('GET', KEYS[3])
  local rest = string.sub(block, 1, offset) .. string.sub(block, offset + RECORD_BYTES + 1)
  if #rest == 0 then
    redis.call('DEL', KEYS[3])
    redis.call('SETBIT', KEYS[4], ARGV[8], 0)
  else
    redis.call('SET', KEYS[3], rest)
  end
end
if ARGV[9] == '1' then
  local filed = string.sub(record, 1, REPORTS_OFFSET)
    .. reports_byte(observed, ttl)
    .. string.sub(record, REPORTS_OFFSET + 2, 22)
    .. struct.pack('<I2', profile_number)
    .. string.sub(record, 25, 26)
    .. struct.pack('<I2', hours_number)
    .. observed_bytes(observed, ttl)
    .. table.concat(free)
  redis.call('APPEND', KEYS[2], filed .. string.rep('\0', RECORD_BYTES - #filed))
  redis.call('SETBIT', KEYS[4], ARGV[7], 1)
end
if KEYS[7] ~= KEYS[8] then
  redis.call('HDEL', KEYS[8], site_number)
end
redis.call('HSET', KEYS[7], site_number, packed_tally(old_tally and last_moved(old_tally) or 0, counts, report))
redis.call('SET', KEYS[1], ARGV[3])

for _, one in ipairs(refitted) do
  local waiting, entry = waiting_at(queue, one.handle)
  local place = waiting and place_at(waiting, site_number)
  if place then
    entry = string.sub(entry, 1, place.classes_from - 1) .. one.classes .. string.sub(entry, place.to)
    redis.call('HSET', queue.waiting, one.handle, entry)
    for _, class in ipairs(place.classes) do
      redis.call('ZREM', class_queue(queue, site_text, class.index), one.handle)
    end
    for _, class in ipairs(place_at(read_waiting(entry), site_number).classes) do
      redis.call('ZADD', class_queue(queue, site_text, class.index), rank_text(waiting.rank), one.handle)
    end
  end
end
promote_safely(queue, {
  number = site_number, tallies = KEYS[7], block = KEYS[2], names = KEYS[9], allowed = KEYS[10], version = KEYS[11],
})
publish_events(queue.events)
return { 'put' }
