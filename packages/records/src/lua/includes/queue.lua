-- The queues of a region's sites, first come first served among those that fit. Include after events, reservation-record, site-index, holds, reports,
-- named-compartments, fields and wire. The other keys are derived from the first as keys.ts names them: which of them a script touches is known
-- only while it runs, and all of them are in the region's slot.
--
--   <waiting>                 hash: handle -> entry
--   <waiting>:last            the last rank that was assigned
--   <waiting>:sites           set: numbers of the sites with a queue
--   <waiting>:shares          hash: participant in a network, or that and a site -> number of its queued reservations
--   <waiting>:<site>          sorted set: handle -> rank, the reservations queued at a site
--   <waiting>:<site>.<class>  sorted set: handle -> rank, those of them that fit into a size class
--
-- A rank is when a reservation was queued, in us since 1970, and unique in the region.
--
-- An entry: double rank, u8 flags, u32 ms for which a place is held after the promotion, u8 length and participant, 7 bytes of limits on its holds if
-- the flags say so (see holds.lua), u16 length and event of the
-- promotion, u16 length and query, u8 number of places, and for each place: 4 bytes of site number, u8 length and the site's part of the
-- reservation, u8 length and the site's part of the event, u8 number of classes, and for each class, best first: u8 index, u8 length and the
-- class's part of the reservation; for a hard hold also u16 length and the ids of its compartments, best first, each after u8 length. 255 classes:
-- the operator has ended the waiting at the site, and none follow.
--
-- Invariant: no place is free for which a reservation is queued whose participant may hold it. Every script that frees a place calls promote(), and so
-- does one that ends a hold, for its site; at other sites of the region the sweep does within its interval.

-- The reservation takes a place whose availability is unknown.
local TAKES_UNKNOWN = 1
-- The reservation takes a named compartment.
local TAKES_NAMED = 2
-- The entry has limits on the participant's holds.
local HAS_LIMITS = 4
-- The number of classes of a place at which the operator has ended the waiting.
local CANCELLED_MARK = 255

local function read_waiting(entry)
  local rank, flags, hold_ms, participant, from = struct.unpack('<dBI4Bc0', entry)
  local has_limits, limits = flags >= HAS_LIMITS, nil
  if has_limits then
    limits, from = struct.unpack('c7', entry, from)
  end
  local event, _, count, at = struct.unpack('<I2c0I2c0B', entry, from)
  local waiting = {
    rank = rank, hold_ms = hold_ms, participant = participant, limits = limits, event = event, places = {},
    takes_unknown = flags % 2 == TAKES_UNKNOWN, takes_named = flags % HAS_LIMITS >= TAKES_NAMED,
  }
  for number = 1, count do
    local place, classes = { classes = {} }, nil
    place.number, place.reservation_part, place.event_part, classes, at = struct.unpack('<c4Bc0Bc0B', entry, at)
    place.site = string.format('%d', struct.unpack('<I4', place.number))
    place.classes_from = at - 1
    if classes == CANCELLED_MARK then
      classes = 0
    end
    for position = 1, classes do
      local class = {}
      class.index, class.part, at = struct.unpack('BBc0', entry, at)
      if waiting.takes_named then
        class.compartments, at = struct.unpack('<I2c0', entry, at)
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

-- The number of reservations before a rank that fit into one of the same size classes of a site.
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

-- Where the holds of participants are counted, by its place in keys.ts.
local function held_of(queue)
  return (string.gsub(queue.waiting, 'waiting$', 'held'))
end

-- Whether the participant of a queued reservation may hold one more place of a size class of a site.
local function may_hold(queue, site, waiting, class)
  if not waiting.limits then
    return true
  end
  local in_region, at_site = count_holds(held_of(queue), waiting.participant, site.number)
  return exhausted_limit(waiting.limits, in_region, at_site, site.site_counts, class) == nil
end

-- The best size class of a site that a queued reservation can take now and its participant may hold, with the compartment for a hard hold. Nil if there is none.
local function class_to_take(queue, site, waiting, place)
  if not site.is_known and not waiting.takes_unknown then
    return nil
  end
  -- A site that reports has counts only, no free compartments by name.
  if waiting.takes_named and site.is_reported then
    return nil
  end
  for _, class in ipairs(place.classes) do
    if site.free[class.index] > 0 and may_hold(queue, site, waiting, class.index) then
      local compartment = waiting.takes_named and first_free_compartment(site.compartments, class.compartments)
      if compartment or not waiting.takes_named then
        return class, compartment
      end
    end
  end
  return nil
end

-- Reads the counts of a site into `site`. False if it has none.
local function read_counts(queue, site)
  local site_counts = redis.call('HGET', site.counts, site.number)
  if not site_counts then
    return false
  end
  local observed, ttl = report_times(report_of(site_counts))
  site.site_counts, site.free = site_counts, {}
  site.is_reported = observed ~= nil and ttl ~= REPORTING_ENDED
  site.is_known = not site.is_reported or (math.floor(observed / 1000) + ttl) * 1000 > queue.now
  for class = 0, class_count(site_counts) - 1 do
    local _, in_service, occupied, held, by_others = class_counts(site_counts, class)
    site.free[class] = free_places(in_service, occupied, held, by_others)
  end
  return true
end

-- The first reservation in the queue of a size class that can take a place of the site now: nearly always the very first.
local function first_to_take(queue, site, class)
  local key, from = class_queue(queue, site.text, class), 0
  while true do
    local found = redis.call('ZRANGE', key, from, from + 15, 'WITHSCORES')
    if #found == 0 then
      return nil
    end
    for at = 1, #found, 2 do
      -- A reservation whose queue deadline has passed gets nothing, even if the sweep has not ended it yet.
      local is_over = tonumber(redis.call('ZSCORE', queue.deadlines, found[at]) or '0') <= queue.now
      local waiting = not is_over and waiting_at(queue, found[at])
      local place = waiting and place_at(waiting, site.number)
      if place and class_to_take(queue, site, waiting, place) then
        return found[at], tonumber(found[at + 1]), waiting, place
      end
    end
    from = from + 16
  end
end

-- Promotes a queued reservation to a place of a site. The new message appends the changed fields to the old one.
local function take_place(queue, site, offset, handle, waiting, place)
  local class, compartment = class_to_take(queue, site, waiting, place)
  leave_queue(queue, handle, waiting)
  local key = queue.reservations .. handle
  local stored = redis.call('GET', key)
  if not stored then
    return
  end
  local revision, message_bytes = struct.unpack('<I4I2', stored)
  change_counts(
    site.counts, site.block, site.number, site.site_counts, class.index, 1, 0, 0, last_moved(site.site_counts), offset
  )
  revision = revision + 1
  local expires = queue.now + waiting.hold_ms
  local message = string.sub(stored, RESERVATION_HEAD_BYTES + 1, RESERVATION_HEAD_BYTES + message_bytes)
    .. place.reservation_part .. class.part
    .. number_field(RESERVATION_STATE, RESERVATION_STATE_HELD)
    .. number_field(RESERVATION_REVISION, revision)
    .. time_field(RESERVATION_UPDATED_AT, queue.now * 1000)
    .. time_field(RESERVATION_HOLD_EXPIRES_AT, expires * 1000)
  if compartment then
    message = message .. text_field(RESERVATION_HELD_COMPARTMENT_ID, compartment)
    take_compartment(site.compartments, compartment, handle)
    -- From now on the site's agent must keep the door for it.
    redis.call('SADD', site.allowed, handle)
    note_allowed_change(site.version, redis.call('INCR', site.version), handle)
  end
  local entry = append_event(
    queue.events,
    waiting.event .. place.event_part .. time_field(EVENT_OCCURRED_AT, queue.now * 1000) .. number_field(EVENT_RESERVATION_REVISION, revision)
  )
  redis.call('SET', key, amended_record(stored, message_bytes, reservation_head(revision, #message) .. message, entry))
  redis.call('ZADD', queue.deadlines, rank_text(expires), handle)
  count_hold(held_of(queue), waiting.participant, site.number, class.index, handle, rank_text(expires))
end

-- Promotes queued reservations to the free places of a site, earliest first. The caller must publish the events.
--   queue: waiting, deadlines, events (keys), reservations (prefix of the reservations' keys), now (ms)
--   site: number (4 bytes), counts, block, compartments, allowed, version (keys)
local function promote(queue, site)
  site.text = string.format('%d', struct.unpack('<I4', site.number))
  if redis.call('EXISTS', site_queue(queue, site.text)) == 0 then
    return
  end
  -- A site that is not in the index takes no reservations.
  local offset = record_offset(site.block, site.number)
  while offset and read_counts(queue, site) do
    local first, first_rank, first_waiting, first_place
    for class = 0, class_count(site.site_counts) - 1 do
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

-- As promote(), but ignores errors: an invalid entry must not abort a script after half of its writes.
local function promote_safely(queue, site)
  pcall(promote, queue, site)
end
