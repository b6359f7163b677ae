#!lua
-- Writes the facts of a site, and adds it to the index, moves it or removes it. Atomic. Idempotent. The site's last capacity report stays in force
-- if its places are the same as before; else the availability is unknown until the next report.
--
-- KEYS[1] site  KEYS[2] new block  KEYS[3] old block  KEYS[4] occupied cells  KEYS[5] size profiles  KEYS[6] opening times
-- KEYS[7] site counts of the new cell  KEYS[8] site counts of the old cell
-- KEYS[9] named compartments  KEYS[10] allowed reservations  KEYS[11] version of the agent's data
-- KEYS[12] queues, see includes/queue.lua  KEYS[13] deadlines  KEYS[14] events
-- ARGV[1] site number, 4 bytes
-- ARGV[2] head of the site's record that the caller read, '': the site does not exist
-- ARGV[3] the site's record               ARGV[4] index record, without profile, opening hours, report and counts
-- ARGV[5] installed of each class, u16    ARGV[6] size profile
-- ARGV[7] number of the new cell in the region  ARGV[8] number of the old cell
-- ARGV[9] '1' to have the site in the index, '0' not
-- ARGV[10] '1' if every existing class keeps its index and id
-- ARGV[11] opening times, '' if the site never closes
-- ARGV[12] the gateway's time, in ms  ARGV[13] prefix of the reservations' keys
-- ARGV[14] the classes that fit each reservation queued at the site: u8 length and handle, u16 length and number of classes with classes
-- ARGV[15..] compartments that are removed or change their size class
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

-- The index of an item in a list, to which it is appended if it is missing. Nil if the index would be more than `greatest`.
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

local old_counts = not is_new and redis.call('HGET', KEYS[8], site_number) or nil
local old_classes = old_counts and class_count(old_counts) or 0
local classes = #installed_bytes / 2
local keeps_classes = ARGV[10] == '1'
local same_places = keeps_classes and classes == old_classes
local counts, free = {}, {}
for class = 0, math.max(old_classes, classes) - 1 do
  local was_installed, in_service, occupied, held, by_others = 0, 0, 0, 0, 0
  if class < old_classes then
    was_installed, in_service, occupied, held, by_others = class_counts(old_counts, class)
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
    -- Places out of order stay out of order.
    in_service = math.max(0, installed - (was_installed - in_service))
    same_places = same_places and installed == was_installed
    by_others = keeps_classes and by_others or 0
    counts[class + 1] = packed_counts(installed, in_service, occupied, held, by_others)
    free[class + 1] = free_byte(in_service, occupied, held, by_others)
  end
end

local report = old_counts and report_of(old_counts)
local observed, ttl = report_times(report)
if observed and ttl ~= REPORTING_ENDED and not same_places then
  -- The report was about other places: it is not valid any more. It is kept, so that an older one is still refused.
  ttl = 0
  report = struct.pack('<I6I2', observed, ttl)
end

-- An index record has u16 for either number.
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
  local index_record = string.sub(record, 1, REPORTS_OFFSET)
    .. reports_byte(observed, ttl)
    .. string.sub(record, REPORTS_OFFSET + 2, 22)
    .. struct.pack('<I2', profile_number)
    .. string.sub(record, 25, 26)
    .. struct.pack('<I2', hours_number)
    .. observed_bytes(observed, ttl)
    .. table.concat(free)
  redis.call('APPEND', KEYS[2], index_record .. string.rep('\0', RECORD_BYTES - #index_record))
  redis.call('SETBIT', KEYS[4], ARGV[7], 1)
end
if KEYS[7] ~= KEYS[8] then
  redis.call('HDEL', KEYS[8], site_number)
end
redis.call('HSET', KEYS[7], site_number, packed_site_counts(old_counts and last_moved(old_counts) or 0, counts, report))
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
  number = site_number, counts = KEYS[7], block = KEYS[2], compartments = KEYS[9], allowed = KEYS[10], version = KEYS[11],
})
publish_events(queue.events)
return { 'put' }
