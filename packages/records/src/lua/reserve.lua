#!lua
-- Takes a hold at the first candidate that has a place, and writes the reservation, its deadline and its event. Atomic. Idempotent: a request
-- always makes the same handle, so a repeated run finds the reservation.
--
-- KEYS[1] reservation  KEYS[2] deadlines  KEYS[3] events  KEYS[4] plan of the request  KEYS[5] failure of the plan that is followed
-- KEYS[6] holds of participants, see includes/holds.lua
-- then, if the request id is bound here, its key; then for each cell its block and its site counts; then, for a hard hold, for each candidate
-- its named compartments, allowed reservations and version of the agent's data
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] how long a binding or a failure is stored, in ms
-- ARGV[3] '1' if the caller follows a plan: that no place is free is stored then, so that a duplicate does not try again; else '0'
-- ARGV[4] handle                  ARGV[5] deadline in ms
-- ARGV[6] reservation and ARGV[7] event, both without the candidate's parts
-- ARGV[8] binding of the request id, '': it was bound before; always '' on a cluster, where its key is in another slot
-- ARGV[9] candidates, for each: u32 offset in the block, 4 bytes of site number, 4 bytes of revision, all as the caller saw them, u8 cell from 1,
--   u8 number of classes, u8 length and the site's part of the reservation, u8 length and the site's part of the event, and for each class, best
--   first: u8 index, u8 length and the class's part of the reservation; for a hard hold also u16 length and the ids of its compartments, best
--   first, each after u8 length
-- ARGV[10] participant in its network  ARGV[11] limits on its holds. A site at which it may hold no more is passed over
-- For a hard hold only:
-- ARGV[12] number of keys before those of the candidates
-- ARGV[13] tag of the reservation's field for the held compartment
-- Returns {'held', candidate from 1, class index, compartment for a hard hold}
--   | {'repeated', record} | {'planned', plan} | {'reused'} | {'none'}
--   | {'exhausted', description of the limit on holds for which a free place was not given}

--- @include stored-responses
--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include named-compartments
--- @include allowed-changes

local follows_plan, binding = ARGV[3] == '1', ARGV[8]
if binding ~= '' then
  local bound = redis.call('SET', KEYS[7], binding, 'PX', ARGV[2], 'NX', 'GET')
  if bound and bound ~= binding then
    return { 'reused' }
  end
end
local stored = redis.call('GET', KEYS[1])
if stored then
  return { 'repeated', stored }
end
local repetition = find_repetition(KEYS[follows_plan and 5 or 4], ARGV[1])
if repetition then
  return repetition
end

local before_cells = binding == '' and 6 or 7
local candidates, shared_keys = ARGV[9], tonumber(ARGV[12])
local HELD = KEYS[6]
local sharer, limits, exhausted = ARGV[10], ARGV[11], nil
local is_hard = shared_keys ~= nil
local at, candidate = 1, 0
while at <= #candidates do
  local seen_offset, site_number, revision, cell, classes, reservation_part, event_part
  seen_offset, site_number, revision, cell, classes, reservation_part, event_part, at =
    struct.unpack('<I4c4c4BBBc0Bc0', candidates, at)
  candidate = candidate + 1
  local block_key, counts_key = KEYS[before_cells + 2 * cell - 1], KEYS[before_cells + 2 * cell]
  local record, offset = unchanged_record(block_key, seen_offset, site_number, revision)
  local site_counts = record and redis.call('HGET', counts_key, site_number)
  local compartments_key = is_hard and KEYS[shared_keys + 3 * candidate - 2]
  if is_hard and site_counts and string.byte(record, REPORTS_OFFSET + 1) ~= 0 then
    -- A site that reports has counts only, no free compartments by name.
    site_counts = nil
  end
  for _ = 1, classes do
    local class, class_part, compartments, compartment
    class, class_part, at = struct.unpack('BBc0', candidates, at)
    if is_hard then
      compartments, at = struct.unpack('<I2c0', candidates, at)
    end
    if site_counts then
      local _, in_service, occupied, held, by_others = class_counts(site_counts, class)
      local is_free = free_places(in_service, occupied, held, by_others) > 0
      if is_free and is_hard then
        compartment = first_free_compartment(compartments_key, compartments)
        is_free = compartment ~= nil
      end
      if is_free then
        local in_region, at_site = count_holds(HELD, sharer, site_number)
        local scope, most, used = exhausted_limit(limits, in_region, at_site, site_counts, class)
        if scope then
          is_free = false
          exhausted = packed_exhaustion(scope, most, used, first_expiry(HELD, sharer))
        end
      end
      if is_free then
        local failure = change_counts(
          counts_key, block_key, site_number, site_counts, class, 1, 0, 0, last_moved(site_counts), offset
        )
        if failure then
          return failure
        end
        -- Encoded messages may be concatenated: a parser merges the parts.
        local entry = append_event(KEYS[3], ARGV[7] .. event_part)
        publish_events(KEYS[3])
        if is_hard then
          class_part = class_part .. ARGV[13] .. string.char(#compartment) .. compartment
          take_compartment(compartments_key, compartment, ARGV[4])
          -- From now on the site's agent must keep the door for it, even before it is confirmed.
          redis.call('SADD', KEYS[shared_keys + 3 * candidate - 1], ARGV[4])
          local version_key = KEYS[shared_keys + 3 * candidate]
          note_allowed_change(version_key, redis.call('INCR', version_key), ARGV[4])
        end
        local message = ARGV[6] .. reservation_part .. class_part
        redis.call('SET', KEYS[1], reservation_head(1, #message) .. message .. entry)
        redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
        count_hold(HELD, sharer, site_number, class, ARGV[4], ARGV[5])
        return { 'held', candidate, class, compartment }
      end
    end
  end
end
if follows_plan then
  store_response(KEYS[5], ARGV[1], 'N', '', ARGV[2])
end
if exhausted then
  return { 'exhausted', exhausted }
end
return { 'none' }
