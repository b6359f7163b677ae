#!lua
-- Queues a reservation at one or several sites of a region, and writes it with its deadline and its event. Atomic. If one of the sites has a place
-- for it, it is promoted at once. Idempotent: a repeated run finds the stored response.
--
-- KEYS[1] response  KEYS[2] reservation  KEYS[3] deadlines  KEYS[4] events  KEYS[5] queues, see includes/queue.lua
-- then for each place: block, site counts, named compartments, allowed reservations, version of the agent's data
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] how long the response is stored, in ms
-- ARGV[3] handle                  ARGV[4] deadline in ms
-- ARGV[5] reservation, without the time at which it was queued  ARGV[6] event
-- ARGV[7] rank of a reservation that was queued elsewhere before, '': it is queued now
-- ARGV[8] the gateway's time, in ms   ARGV[9] queue entry, without the rank
-- ARGV[10] revision of each place's site that the caller read, 4 bytes each
-- ARGV[11] most reservations in the queue of a site  ARGV[12] most of one participant at a site  ARGV[13] most of one participant in the region
-- ARGV[14] prefix of the reservations' keys
-- Returns {'joined', message of the reservation for the response} | {'repeated', the same} | {'held', record}: the same request took a place
--   before | {'stale'}: a site has changed | {'site_full', place from 1, length of its queue} | {'share_full', place from 1 or 0 for the region,
--   number of the participant's queued reservations}

--- @include stored-responses
--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include allowed-changes
--- @include queue

local KEYS_BEFORE_PLACES, KEYS_OF_PLACE = 5, 5

local handle, now = ARGV[3], tonumber(ARGV[8])
local queue = { waiting = KEYS[5], deadlines = KEYS[3], events = KEYS[4], reservations = ARGV[14], now = now }

local repetition = find_repetition(KEYS[1], ARGV[1])
if repetition then
  return { 'repeated', repetition[2] }
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
    number = place.number, block = KEYS[at + 1], counts = KEYS[at + 2],
    compartments = KEYS[at + 3], allowed = KEYS[at + 4], version = KEYS[at + 5],
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
store_response(KEYS[1], ARGV[1], 'A', message, ARGV[2])
return { 'joined', message }
