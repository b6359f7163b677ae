#!lua
-- Lets a reservation wait for a place at one or several sites of a region, and writes it with its deadline and its event: all or nothing. Where
-- one of the sites has a place for it, it takes that at once. Safe to run twice: the second run finds the answer of the first.
--
-- KEYS[1] answer  KEYS[2] reservation  KEYS[3] deadlines  KEYS[4] events  KEYS[5] who waits, see includes/queue.lua
-- then for each place: block, tallies, compartments taken by name, allowed, version of what is allowed
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] ms for which the answer is remembered
-- ARGV[3] handle                  ARGV[4] deadline in ms
-- ARGV[5] reservation but for when it came  ARGV[6] event
-- ARGV[7] rank, where it came earlier elsewhere; empty: it comes now
-- ARGV[8] the gateway's time, in ms         ARGV[9] its entry but for the rank
-- ARGV[10] revision of each place's site, as the caller saw it, 4 bytes each
-- ARGV[11] how many may wait at a site  ARGV[12] how many of one participant at a site  ARGV[13] and in the region
-- ARGV[14] what the keys of reservations begin with
-- Returns {'joined', reservation's message as it is answered} | {'answered', the same} | {'held', record}: the request took a place without
--   waiting | {'stale'}: a site has changed | {'site_full', place from 1, how many wait} | {'share_full', place from 1 or 0 for the region, how
--   many wait}

--- @include answers
--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

local KEYS_BEFORE_PLACES, KEYS_OF_PLACE = 5, 5

local handle, now = ARGV[3], tonumber(ARGV[8])
local queue = { waiting = KEYS[5], deadlines = KEYS[3], events = KEYS[4], reservations = ARGV[14], now = now }

local known = remembered(KEYS[1], ARGV[1])
if known then
  return { 'answered', known[2] }
end
local stored = redis.call('GET', KEYS[2])
if stored then
  return { 'held', stored }
end

local last = tonumber(redis.call('GET', queue.waiting .. ':last') or '0')
local rank = tonumber(ARGV[7]) or math.max(now * 1000, last + 1)
local entry = struct.pack('<d', rank) .. ARGV[9]
local waiting = read_waiting(entry)
local participant = waiting.participant

local sites = {}
for number, place in ipairs(waiting.places) do
  local at = KEYS_BEFORE_PLACES + KEYS_OF_PLACE * (number - 1)
  local site = {
    number = place.number, block = KEYS[at + 1], tallies = KEYS[at + 2],
    names = KEYS[at + 3], allowed = KEYS[at + 4], version = KEYS[at + 5],
  }
  local revision = string.sub(ARGV[10], 4 * number - 3, 4 * number)
  if not unchanged_record(site.block, 0, place.number, revision) then
    return { 'stale' }
  end
  sites[number] = site
end
for number, place in ipairs(waiting.places) do
  local length = redis.call('ZCARD', site_queue(queue, place.site))
  if length >= tonumber(ARGV[11]) then
    return { 'site_full', number, length }
  end
  local share = tonumber(redis.call('HGET', queue.waiting .. ':shares', site_share(participant, place.site)) or '0')
  if share >= tonumber(ARGV[12]) then
    return { 'share_full', number, share }
  end
end
local share = tonumber(redis.call('HGET', queue.waiting .. ':shares', participant) or '0')
if share >= tonumber(ARGV[13]) then
  return { 'share_full', 0, share }
end

if ARGV[7] == '' then
  redis.call('SET', queue.waiting .. ':last', rank_text(rank))
end
redis.call('HSET', queue.waiting, handle, entry)
join_queue(queue, handle, waiting)
local message = ARGV[5] .. time_field(RESERVATION_QUEUED_SINCE, rank)
redis.call('SET', KEYS[2], reservation_head(1, #message) .. message .. append_event(KEYS[4], ARGV[6]))
redis.call('ZADD', KEYS[3], ARGV[4], handle)
for _, site in ipairs(sites) do
  promote_safely(queue, site)
end
publish_events(KEYS[4])

if redis.call('HEXISTS', queue.waiting, handle) == 1 then
  message = message .. number_field(RESERVATION_QUEUE_POSITION, count_ahead(queue, waiting.places[1], rank))
else
  stored = redis.call('GET', KEYS[2])
  local _, message_bytes = struct.unpack('<I4I2', stored)
  message = string.sub(stored, RESERVATION_HEAD_BYTES + 1, RESERVATION_HEAD_BYTES + message_bytes)
end
remember(KEYS[1], ARGV[1], 'A', message, ARGV[2])
return { 'joined', message }
