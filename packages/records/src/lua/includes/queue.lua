-- Who waits for places of a region's sites, first come first served among those that fit. Goes after events, reservation-record, site-index,
-- reports, named-compartments, fields and wire. The keys, as keys.ts names them, are made here of the first: which of them a script touches
-- turns out in it, and all of them lie in the region's slot.
--
--   <waiting>                 hash: handle -> entry
--   <waiting>:last            the rank that was given last
--   <waiting>:sites           set of the numbers of the sites at which somebody waits
--   <waiting>:shares          hash: participant in a network, or that and site -> how many of its reservations wait
--   <waiting>:<site>          sorted set: handle -> rank, all that wait at a site
--   <waiting>:<site>.<class>  sorted set: handle -> rank, those of them that a size class would do for
--
-- A rank is when a reservation came to wait, in µs since 1970, and no two of a region are given the same.
--
-- An entry: double rank, u8 flags, u32 ms for which a place is held, u8 length and participant, u16 length and event of the promotion, u16 length
-- and what the caller asked of a site, u8 number of places, and each place: 4 bytes of site number, u8 length and what the site adds to the
-- reservation, u8 length and what it adds to the event, u8 number of classes, and for each class, best first: u8 index, u8 length and what it
-- adds to the reservation; where the hold is hard, also u16 length and ids of its compartments, best first, each after u8 length.
--
-- At no instant is there a place free for which somebody waits: whatever frees one calls promote() in the same script.

-- A place of which it is not known whether it is free will do.
local TAKES_UNKNOWN = 1
local TAKES_NAMED = 2

local function read_waiting(entry)
  local rank, flags, hold_ms, participant, event, _, count, at = struct.unpack('<dBI4Bc0I2c0I2c0B', entry)
  local waiting = {
    rank = rank, hold_ms = hold_ms, participant = participant, event = event, places = {},
    takes_unknown = flags % 2 == TAKES_UNKNOWN, takes_named = flags >= TAKES_NAMED,
  }
  for number = 1, count do
    local place, classes = { classes = {} }, nil
    place.number, place.reservation_rest, place.event_rest, classes, at = struct.unpack('<c4Bc0Bc0B', entry, at)
    place.site = string.format('%d', struct.unpack('<I4', place.number))
    place.classes_from = at - 1
    for position = 1, classes do
      local class = {}
      class.index, class.rest, at = struct.unpack('BBc0', entry, at)
      if waiting.takes_named then
        class.names, at = struct.unpack('<I2c0', entry, at)
      end
      place.classes[position] = class
    end
    place.to = at
    waiting.places[number] = place
  end
  return waiting
end

local function waiting_at(queue, handle)
  local entry = redis.call('HGET', queue.waiting, handle)
  return entry and read_waiting(entry), entry
end

local function place_at(waiting, site_number)
  for _, place in ipairs(waiting.places) do
    if place.number == site_number then
      return place
    end
  end
  return nil
end

local function site_queue(queue, site)
  return queue.waiting .. ':' .. site
end

local function class_queue(queue, site, class)
  return site_queue(queue, site) .. '.' .. class
end

local function rank_text(rank)
  return string.format('%.0f', rank)
end

local function count_share(queue, field, change)
  if redis.call('HINCRBY', queue.waiting .. ':shares', field, change) <= 0 then
    redis.call('HDEL', queue.waiting .. ':shares', field)
  end
end

local function site_share(participant, site)
  return participant .. ' ' .. site
end

local function join_queue(queue, handle, waiting)
  local score = rank_text(waiting.rank)
  for _, place in ipairs(waiting.places) do
    redis.call('ZADD', site_queue(queue, place.site), score, handle)
    for _, class in ipairs(place.classes) do
      redis.call('ZADD', class_queue(queue, place.site, class.index), score, handle)
    end
    redis.call('SADD', queue.waiting .. ':sites', place.site)
    count_share(queue, site_share(waiting.participant, place.site), 1)
  end
  count_share(queue, waiting.participant, 1)
end

local function leave_queue(queue, handle, waiting)
  for _, place in ipairs(waiting.places) do
    redis.call('ZREM', site_queue(queue, place.site), handle)
    for _, class in ipairs(place.classes) do
      redis.call('ZREM', class_queue(queue, place.site, class.index), handle)
    end
    if redis.call('EXISTS', site_queue(queue, place.site)) == 0 then
      redis.call('SREM', queue.waiting .. ':sites', place.site)
    end
    count_share(queue, site_share(waiting.participant, place.site), -1)
  end
  count_share(queue, waiting.participant, -1)
  redis.call('HDEL', queue.waiting, handle)
end

-- How many that would take one of the same places of a site came earlier.
local function count_ahead(queue, place, rank)
  local seen, ahead = {}, 0
  for _, class in ipairs(place.classes) do
    for _, handle in ipairs(redis.call('ZRANGEBYSCORE', class_queue(queue, place.site, class.index), '-inf', '(' .. rank_text(rank))) do
      if not seen[handle] then
        seen[handle] = true
        ahead = ahead + 1
      end
    end
  end
  return ahead
end

-- The class of a site that a waiting reservation would take now, best first, with the compartment where the hold is hard; nil for none.
local function class_to_take(site, waiting, place)
  if not site.is_known and not waiting.takes_unknown then
    return nil
  end
  -- What is reported has counts and no names.
  if waiting.takes_named and site.is_reported then
    return nil
  end
  for _, class in ipairs(place.classes) do
    if site.free[class.index] > 0 then
      local name = waiting.takes_named and first_free_name(site.names, class.names)
      if name or not waiting.takes_named then
        return class, name
      end
    end
  end
  return nil
end

local function look_at_site(queue, site)
  local tally = redis.call('HGET', site.tallies, site.number)
  if not tally then
    return false
  end
  local observed, ttl = report_times(report_of(tally))
  site.tally, site.free = tally, {}
  site.is_reported = observed ~= nil and ttl ~= OWN_COUNTS
  site.is_known = not site.is_reported or (math.floor(observed / 1000) + ttl) * 1000 > queue.now
  for class = 0, class_count(tally) - 1 do
    local _, in_service, occupied, held, beyond = class_counts(tally, class)
    site.free[class] = free_places(in_service, occupied, held, beyond)
  end
  return true
end

-- The first of those that wait for a class that would take a place of the site now. Nearly always it is the very first.
local function first_to_take(queue, site, class)
  local key, from = class_queue(queue, site.text, class), 0
  while true do
    local found = redis.call('ZRANGE', key, from, from + 15, 'WITHSCORES')
    if #found == 0 then
      return nil
    end
    for at = 1, #found, 2 do
      -- One that has waited long enough gets nothing any more, also where nobody has come by to say so.
      local is_over = tonumber(redis.call('ZSCORE', queue.deadlines, found[at]) or '0') <= queue.now
      local waiting = not is_over and waiting_at(queue, found[at])
      local place = waiting and place_at(waiting, site.number)
      if place and class_to_take(site, waiting, place) then
        return found[at], tonumber(found[at + 1]), waiting, place
      end
    end
    from = from + 16
  end
end

-- Gives a waiting reservation the place of a class. What it was is part of what it is from now on.
local function take_place(queue, site, offset, handle, waiting, place)
  local class, name = class_to_take(site, waiting, place)
  leave_queue(queue, handle, waiting)
  local key = queue.reservations .. handle
  local stored = redis.call('GET', key)
  if not stored then
    return
  end
  local revision, message_bytes = struct.unpack('<I4I2', stored)
  move_counts(site.tallies, site.block, site.number, site.tally, class.index, 1, 0, 0, last_moved(site.tally), offset)
  revision = revision + 1
  local expires = queue.now + waiting.hold_ms
  local message = string.sub(stored, RESERVATION_HEAD_BYTES + 1, RESERVATION_HEAD_BYTES + message_bytes)
    .. place.reservation_rest .. class.rest
    .. number_field(RESERVATION_STATE, RESERVATION_STATE_HELD)
    .. number_field(RESERVATION_REVISION, revision)
    .. time_field(RESERVATION_UPDATED_AT, queue.now * 1000)
    .. time_field(RESERVATION_HOLD_EXPIRES_AT, expires * 1000)
  if name then
    message = message .. text_field(RESERVATION_HELD_COMPARTMENT_ID, name)
    take_name(site.names, name, handle)
    -- The site's agent must keep the door for it from now on.
    redis.call('SADD', site.allowed, handle)
    redis.call('INCR', site.version)
  end
  local entry = append_event(
    queue.events,
    waiting.event .. place.event_rest .. time_field(EVENT_OCCURRED_AT, queue.now * 1000) .. number_field(EVENT_RESERVATION_REVISION, revision)
  )
  redis.call('SET', key, amended_record(stored, message_bytes, reservation_head(revision, #message) .. message, entry))
  redis.call('ZADD', queue.deadlines, rank_text(expires), handle)
end

-- Gives the free places of a site to those that wait for them, the earliest first. What it appends its caller publishes.
--   queue: waiting, deadlines, events (keys), reservations (what the keys of reservations begin with), now (ms)
--   site: number (4 bytes), tallies, block, names, allowed, version (keys)
local function promote(queue, site)
  site.text = string.format('%d', struct.unpack('<I4', site.number))
  if redis.call('EXISTS', site_queue(queue, site.text)) == 0 then
    return
  end
  -- A site that is not filed takes no reservations.
  local offset = record_offset(site.block, site.number)
  while offset and look_at_site(queue, site) do
    local first, first_rank, first_waiting, first_place
    for class = 0, class_count(site.tally) - 1 do
      if site.free[class] > 0 then
        local handle, rank, waiting, place = first_to_take(queue, site, class)
        if handle and (not first or rank < first_rank or (rank == first_rank and handle < first)) then
          first, first_rank, first_waiting, first_place = handle, rank, waiting, place
        end
      end
    end
    if not first then
      return
    end
    take_place(queue, site, offset, first, first_waiting, first_place)
  end
end

-- As promote(). An entry that is broken must not undo half of what a script has done before.
local function promote_safely(queue, site)
  pcall(promote, queue, site)
end
