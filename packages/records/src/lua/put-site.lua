#!lua
-- Writes the facts of a site, and adds it to the index, moves it or removes it. Atomic. Idempotent. The site's last capacity report stays in force
-- if its places are the same as before; else the availability is unknown until the next report.
--
-- KEYS[1] site  KEYS[2] new block  KEYS[3] old block  KEYS[4] occupied cells  KEYS[5] size profiles  KEYS[6] opening times
-- KEYS[7] site counts of the new cell  KEYS[8] site counts of the old cell
-- KEYS[9] named compartments  KEYS[10] allowed reservations  KEYS[11] version of the agent's data
-- KEYS[12] queues, see includes/queue.lua  KEYS[13] deadlines  KEYS[14] events  KEYS[15] changes of sites
-- KEYS[16] uses of the size profiles  KEYS[17] uses of the opening times  KEYS[18] shortages of sites  KEYS[19] when sites were told of
-- KEYS[20] retired sites  KEYS[21] sites that have ended  KEYS[22] sites in the order of their changes  KEYS[23] sites with a paused intake
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
-- ARGV[15] '1' to refuse the change if the site has live reservations
-- ARGV[16] the duty to tell the site's live reservations of the change, see sites/site-changes.ts; '': it concerns none
-- ARGV[17] the most bytes of such duties of one site
-- ARGV[18] most size profiles and ARGV[19] most opening times of the operator in the region and network
-- ARGV[20] '1' if live reservations are cancelled: they are told at once
-- ARGV[21] '1' if the site is retired
-- ARGV[22] part of the record that says from where the site has moved without a decision; '': it has not
-- ARGV[23] '1' if that is kept although the site has no live reservations
-- ARGV[24] most sites of the operator in the index cell and network; of all operators in the test network twice as many
-- ARGV[25] the most places of each class that can be used by the word of the site's device, u16
-- ARGV[26] when the pause of its intake ends, in ms; '': it has none, or none that ends by itself
-- ARGV[27..] compartments that are removed or change their size class
-- Returns {'put'} | {'stale'} | {'ended'}: a site with this number has ended | {'live', held, occupied, queued}: refused, with their numbers | {'in_use', class} | {'compartment_in_use', compartment from 1}
--   | {'behind'}: too many duties
--   | {'cell_full', used}: how many the operator has there if that is the limit, -1 if it is the test network's
--   | {'profiles_full', used} | {'opening_times_full', used}: how many the operator has if that is the limit, -1 if it is the region's

--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include region-lists
--- @include reports
--- @include shortages
--- @include named-compartments
--- @include fields
--- @include wire
--- @include allowed-changes
--- @include queue
--- @include listed-sites

-- How many sites of a block are in the network of a record and of its operator, and how many are in its network.
local function count_alike(block, record)
  local operator = string.sub(record, OPERATOR_OFFSET + 1, OPERATOR_OFFSET + 2)
  local is_test = is_test_record(record, 0)
  local own, all = 0, 0
  for at = 0, #block - RECORD_BYTES, RECORD_BYTES do
    if is_test_record(block, at) == is_test then
      all = all + 1
      if string.sub(block, at + OPERATOR_OFFSET + 1, at + OPERATOR_OFFSET + 2) == operator then
        own = own + 1
      end
    end
  end
  return own, all, is_test
end

local site_number, head, record = ARGV[1], ARGV[2], ARGV[4]
local installed_bytes, profile, opening_times = ARGV[5], ARGV[6], ARGV[11]

local site_text = string.format('%d', struct.unpack('<I4', site_number))
if redis.call('GETBIT', KEYS[21], site_text) == 1 then
  return { 'ended' }
end
local is_new = head == ''
if is_new and redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'stale' }
elseif not is_new and redis.call('GETRANGE', KEYS[1], 0, #head - 1) ~= head then
  return { 'stale' }
end

local queue = { waiting = KEYS[12], deadlines = KEYS[13], events = KEYS[14], reservations = ARGV[13], now = tonumber(ARGV[12]) }
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

local old_counts = not is_new and redis.call('HGET', KEYS[8], site_number) or nil
local old_classes = old_counts and class_count(old_counts) or 0
local all_held, all_occupied = 0, 0
for class = 0, old_classes - 1 do
  local _, _, occupied, held = class_counts(old_counts, class)
  all_held, all_occupied = all_held + held, all_occupied + occupied
end
local has_live = all_held + all_occupied + #refitted > 0
if ARGV[15] == '1' and has_live then
  return { 'live', all_held, all_occupied, #refitted }
end
local duties = has_live and ARGV[16] ~= '' and (redis.call('HGET', KEYS[15], site_text) or '') .. ARGV[16]
if duties and #duties > tonumber(ARGV[17]) then
  return { 'behind' }
end

if #ARGV > 26 then
  for index, holders in ipairs(redis.call('HMGET', KEYS[9], unpack(ARGV, 27))) do
    if holders then
      return { 'compartment_in_use', index }
    end
  end
end

local classes = #installed_bytes / 2
local keeps_classes = ARGV[10] == '1'
local same_places = keeps_classes and classes == old_classes
local old_report = old_counts and report_of(old_counts)
local counts, free, short = {}, {}, false
for class = 0, math.max(old_classes, classes) - 1 do
  local was_installed, occupied, held, by_others = 0, 0, 0, 0
  if class < old_classes then
    local _
    was_installed, _, occupied, held, by_others = class_counts(old_counts, class)
  end
  local in_use = occupied + held
  if in_use > 0 and (class >= classes or not keeps_classes) then
    return { 'in_use', class }
  end
  if class < classes then
    local installed = struct.unpack('<I2', installed_bytes, class * 2 + 1)
    -- Late deposits may have left more in use than there is room for; only who removes places is refused for it.
    if in_use > installed and installed < was_installed then
      return { 'in_use', class }
    end
    -- Places out of order stay out of order.
    local in_service = places_in_service(installed, keeps_classes and old_report, ARGV[25], class)
    same_places = same_places and installed == was_installed
    by_others = keeps_classes and by_others or 0
    counts[class + 1] = packed_counts(installed, in_service, occupied, held, by_others)
    free[class + 1] = free_byte(in_service, occupied, held, by_others)
    short = short or is_short(in_service, occupied, held, by_others)
  end
end

local report = old_report
local observed, ttl = report_times(report)
if observed and ttl ~= REPORTING_ENDED and not same_places then
  -- The report was about other places: it is not valid any more. It is kept, so that an older one is still refused; what it says of places out of
  -- order, as long as it says that of these classes.
  ttl = 0
  report = struct.pack('<I6I2', observed, ttl) .. (keeps_classes and string.sub(report, 9) or '')
end

local old_block = redis.call('GET', KEYS[3])
local offset = old_block and offset_in(old_block, site_number)
local old_profile, old_hours
if offset then
  old_profile, old_hours = numbers_of(string.sub(old_block, offset + 1, offset + RECORD_BYTES))
end
local is_in_index = ARGV[9] == '1'
local cell_max = tonumber(ARGV[24])
local comes = is_in_index and not (offset and KEYS[2] == KEYS[3])
-- Few cells have so many sites that they have to be counted.
if comes and redis.call('STRLEN', KEYS[2]) >= cell_max * RECORD_BYTES then
  local own, all, is_test = count_alike(redis.call('GET', KEYS[2]), record)
  if own >= cell_max then
    return { 'cell_full', own }
  elseif is_test and all >= 2 * cell_max then
    return { 'cell_full', -1 }
  end
end
local owner = owner_of(record)
local profiles = { key = KEYS[5], uses = KEYS[16], owner_max = tonumber(ARGV[18]) }
local profile_plan, profiles_used = plan_entry(profiles, owner, old_profile, is_in_index and profile or nil)
if not profile_plan then
  return { 'profiles_full', profiles_used or -1 }
end
local hours = { key = KEYS[6], uses = KEYS[17], owner_max = tonumber(ARGV[19]) }
local wanted_hours = is_in_index and opening_times ~= '' and opening_times or nil
local hours_plan, hours_used = plan_entry(hours, owner, old_hours ~= 0 and old_hours or nil, wanted_hours)
if not hours_plan then
  return { 'opening_times_full', hours_used or -1 }
end
local profile_number, hours_number = apply_plan(profile_plan), apply_plan(hours_plan)

if offset then
  local rest = string.sub(old_block, 1, offset) .. string.sub(old_block, offset + RECORD_BYTES + 1)
  if #rest == 0 then
    redis.call('DEL', KEYS[3])
    redis.call('SETBIT', KEYS[4], ARGV[8], 0)
  else
    redis.call('SET', KEYS[3], rest)
  end
end
if is_in_index then
  local index_record = string.sub(record, 1, REPORTS_OFFSET)
    .. reports_byte(observed, ttl)
    .. string.sub(record, REPORTS_OFFSET + 2, 22)
    .. struct.pack('<I2', profile_number % 65536)
    .. string.sub(record, 25, 26)
    .. struct.pack('<I2', hours_number % 65536)
    .. observed_bytes(observed, ttl)
    .. string.char(math.floor(profile_number / 65536), math.floor(hours_number / 65536))
    .. table.concat(free)
  redis.call('APPEND', KEYS[2], index_record .. string.rep('\0', RECORD_BYTES - #index_record))
  redis.call('SETBIT', KEYS[4], ARGV[7], 1)
end
if KEYS[7] ~= KEYS[8] then
  redis.call('HDEL', KEYS[8], site_number)
end
redis.call('HSET', KEYS[7], site_number, packed_site_counts(old_counts and last_moved(old_counts) or 0, counts, report))
redis.call('SET', KEYS[1], ARGV[3] .. ((has_live or ARGV[23] == '1') and ARGV[22] or ''))
list_change(KEYS[22], site_text, tonumber(ARGV[12]))
if ARGV[21] == '1' then
  redis.call('ZADD', KEYS[20], ARGV[12], site_text)
else
  redis.call('ZREM', KEYS[20], site_text)
end
if ARGV[26] ~= '' then
  redis.call('ZADD', KEYS[23], ARGV[26], site_text)
else
  redis.call('ZREM', KEYS[23], site_text)
end
if duties then
  redis.call('HSET', KEYS[15], site_text, duties)
end
if duties and ARGV[20] == '1' then
  redis.call('ZREM', KEYS[19], site_text)
end
note_shortage(KEYS[18], site_text, short, ARGV[12])

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
