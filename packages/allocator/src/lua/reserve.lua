#!lua
-- Takes a hold at the first candidate that has a place, and writes the reservation, its deadline and its event: all or nothing. Safe to run
-- twice: a request makes the same handle each time, so that the second run finds the reservation of the first.
--
-- KEYS[1] reservation  KEYS[2] deadlines  KEYS[3] events  KEYS[4] plan  KEYS[5] what is remembered of the plan that is followed
-- KEYS[4 + 2i], KEYS[5 + 2i] block and tallies of cell i, from 1
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] ms for which it is remembered that nothing was free
-- ARGV[3] '1' where the caller follows a plan: nothing free is remembered too, so that a twin learns it; else '0'
-- ARGV[4] handle                  ARGV[5] deadline in ms
-- ARGV[6] reservation and ARGV[7] event, but for what depends on the candidate
-- ARGV[8] candidates: u32 offset seen in the block, 4 bytes of site number, 4 bytes of revision seen, u8 cell, u8 number of classes,
--   u8 length and rest of the reservation, u8 length and rest of the event, and for each class, best first: u8 index, u8 length and
--   rest of the reservation
-- Returns {'held', candidate from 1, class index} | {'repeated', record} | {'planned', plan} | {'reused'} | {'none'}

--- @include answers
--- @include events
--- @include reservation-record
--- @include site-index

local follows_plan = ARGV[3] == '1'
local stored = redis.call('GET', KEYS[1])
if stored then
  return { 'repeated', stored }
end
local known = remembered(KEYS[follows_plan and 5 or 4], ARGV[1])
if known then
  return known
end

-- Offset of a candidate's record, nil where its site is not filed in the cell any more or its facts have changed since: whoever searches
-- again sees the new ones.
local function unchanged_offset(block_key, offset, site_number, revision)
  if redis.call('GETRANGE', block_key, offset, offset + 3) ~= site_number then
    offset = record_offset(block_key, site_number)
  end
  if offset and redis.call('GETRANGE', block_key, offset + 12, offset + 15) == revision then
    return offset
  end
  return nil
end

local candidates = ARGV[8]
local at, candidate = 1, 0
while at <= #candidates do
  local seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest
  seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest, at =
    struct.unpack('<I4c4c4BBBc0Bc0', candidates, at)
  candidate = candidate + 1
  local block_key, tallies_key = KEYS[4 + 2 * cell], KEYS[5 + 2 * cell]
  local offset = unchanged_offset(block_key, seen_offset, site_number, revision)
  local tally = offset and redis.call('HGET', tallies_key, site_number)
  for _ = 1, classes do
    local class, class_rest
    class, class_rest, at = struct.unpack('BBc0', candidates, at)
    if tally then
      local _, in_service, occupied, held, beyond = class_counts(tally, class)
      if free_places(in_service, occupied, held, beyond) > 0 then
        local failure = move_counts(
          tallies_key, block_key, site_number, tally, class, 1, 0, 0, last_moved(tally), offset
        )
        if failure then
          return failure
        end
        -- Encoded messages may be joined: a parser merges the parts.
        local entry = append_event(KEYS[3], ARGV[7] .. event_rest)
        redis.call('SET', KEYS[1], packed_reservation(1, ARGV[6] .. reservation_rest .. class_rest) .. entry)
        redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
        return { 'held', candidate, class }
      end
    end
  end
end
if follows_plan then
  remember(KEYS[5], ARGV[1], 'N', '', ARGV[2])
end
return { 'none' }
