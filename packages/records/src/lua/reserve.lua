#!lua
-- Takes a hold at the first candidate that has a place, and writes the reservation, its deadline and its event: all or nothing. Safe to run
-- twice: a request makes the same handle each time, so that the second run finds the reservation of the first.
--
-- KEYS[1] reservation  KEYS[2] deadlines  KEYS[3] events  KEYS[4] plan  KEYS[5] what is remembered of the plan that is followed
-- then, where the request id is tied here, the key that ties it; then block and tallies of each cell; then, where the hold is hard,
-- for each candidate: compartments taken by name, allowed, version of what is allowed
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] ms for which it is remembered that nothing was free
-- ARGV[3] '1' where the caller follows a plan: nothing free is remembered too, so that a twin learns it; else '0'
-- ARGV[4] handle                  ARGV[5] deadline in ms
-- ARGV[6] reservation and ARGV[7] event, but for what depends on the candidate
-- ARGV[8] what the request id is tied to, empty: it was tied before; never on a cluster, where its key lies elsewhere
-- ARGV[9] candidates: u32 offset seen in the block, 4 bytes of site number, 4 bytes of revision seen, u8 cell from 1, u8 number of classes,
--   u8 length and rest of the reservation, u8 length and rest of the event, and for each class, best first: u8 index, u8 length and
--   rest of the reservation; where the hold is hard, also u16 length and ids of its compartments, best first, each after u8 length
-- Only where the hold is hard:
-- ARGV[10] how many keys come before those of the candidates
-- ARGV[11] what comes in a reservation's message before the length and the id of the compartment that is held
-- Returns {'held', candidate from 1, class index, compartment where the hold is hard}
--   | {'repeated', record} | {'planned', plan} | {'reused'} | {'none'}

--- @include answers
--- @include events
--- @include reservation-record
--- @include site-index
--- @include named-compartments

local follows_plan, tie = ARGV[3] == '1', ARGV[8]
if tie ~= '' then
  local tied = redis.call('SET', KEYS[6], tie, 'PX', ARGV[2], 'NX', 'GET')
  if tied and tied ~= tie then
    return { 'reused' }
  end
end
local stored = redis.call('GET', KEYS[1])
if stored then
  return { 'repeated', stored }
end
local known = remembered(KEYS[follows_plan and 5 or 4], ARGV[1])
if known then
  return known
end

local before_cells = tie == '' and 5 or 6
local candidates, shared_keys = ARGV[9], tonumber(ARGV[10])
local is_hard = shared_keys ~= nil
local at, candidate = 1, 0
while at <= #candidates do
  local seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest
  seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest, at =
    struct.unpack('<I4c4c4BBBc0Bc0', candidates, at)
  candidate = candidate + 1
  local block_key, tallies_key = KEYS[before_cells + 2 * cell - 1], KEYS[before_cells + 2 * cell]
  local record, offset = unchanged_record(block_key, seen_offset, site_number, revision)
  local tally = record and redis.call('HGET', tallies_key, site_number)
  local names_key = is_hard and KEYS[shared_keys + 3 * candidate - 2]
  if is_hard and tally and string.byte(record, REPORTS_OFFSET + 1) ~= 0 then
    -- What is reported has counts and no names.
    tally = nil
  end
  for _ = 1, classes do
    local class, class_rest, names, name
    class, class_rest, at = struct.unpack('BBc0', candidates, at)
    if is_hard then
      names, at = struct.unpack('<I2c0', candidates, at)
    end
    if tally then
      local _, in_service, occupied, held, beyond = class_counts(tally, class)
      local is_free = free_places(in_service, occupied, held, beyond) > 0
      if is_free and is_hard then
        name = first_free_name(names_key, names)
        is_free = name ~= nil
      end
      if is_free then
        local failure = move_counts(
          tallies_key, block_key, site_number, tally, class, 1, 0, 0, last_moved(tally), offset
        )
        if failure then
          return failure
        end
        -- Encoded messages may be joined: a parser merges the parts.
        local entry = append_event(KEYS[3], ARGV[7] .. event_rest)
        publish_events(KEYS[3])
        if is_hard then
          class_rest = class_rest .. ARGV[11] .. string.char(#name) .. name
          take_name(names_key, name, ARGV[4])
          -- The site's agent must keep the door for it from now on, before anybody has confirmed.
          redis.call('SADD', KEYS[shared_keys + 3 * candidate - 1], ARGV[4])
          redis.call('INCR', KEYS[shared_keys + 3 * candidate])
        end
        local message = ARGV[6] .. reservation_rest .. class_rest
        redis.call('SET', KEYS[1], reservation_head(1, #message) .. message .. entry)
        redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
        return { 'held', candidate, class, name }
      end
    end
  end
end
if follows_plan then
  remember(KEYS[5], ARGV[1], 'N', '', ARGV[2])
end
return { 'none' }
