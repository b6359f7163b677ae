#!lua
-- Takes holds of one region for many requests in one step, each at the first of its candidates that has a place, and writes reservation,
-- deadline and event with it. What is the same for every hold of a script (to begin it, to look at its keys, to answer) is so much that a hold
-- by itself takes three times as long. A hold that is anything but plain is left as it is, for lua/reserve.lua to take by itself: one whose
-- request id came before, or is on its way by a plan. Safe to run twice: the second run finds each request id tied, and takes nothing.
--
-- KEYS[1] deadlines  KEYS[2] events
-- then for each hold its reservation, and what ties its request id or, where it was tied just now, its plan
-- then block and tallies of each cell
-- ARGV[1] ms for which a request id stays tied  ARGV[2] how many keys come before those of the cells
-- ARGV[3] holds, each: 16 bytes of handle, u48 deadline in ms, u8 length and what the request id is tied to (empty: it was tied just now),
--   u16 length and reservation, u16 length and event, but for what depends on the candidate, u16 length of the candidates, and these:
--   u32 offset seen in the block, 4 bytes of site number, 4 bytes of revision seen, u8 cell from 1, u8 number of classes,
--   u8 length and rest of the reservation, u8 length and rest of the event, and for each class, best first: u8 index, u8 length and
--   rest of the reservation
-- Returns {'taken', outcomes}, three bytes for each hold: 'H', candidate from 1, class: held | 'N': nothing is free, and the request id is tied
--   now | 'O': to be taken by itself, and nothing was done | 'B': its site's counts are broken

--- @include events
--- @include reservation-record
--- @include site-index

local tie_ms, before_cells, holds = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local NONE, BY_ITSELF, BROKEN = 'N\0\0', 'O\0\0', 'B\0\0'

local function take_first_free(reservation_key, handle, deadline, reservation, event, at, candidates_end)
  local candidate = 0
  while at < candidates_end do
    local seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest
    seen_offset, site_number, revision, cell, classes, reservation_rest, event_rest, at =
      struct.unpack('<I4c4c4BBBc0Bc0', holds, at)
    candidate = candidate + 1
    local block_key, tallies_key = KEYS[before_cells + 2 * cell - 1], KEYS[before_cells + 2 * cell]
    local record, offset = unchanged_record(block_key, seen_offset, site_number, revision)
    for _ = 1, classes do
      local class, class_rest
      class, class_rest, at = struct.unpack('BBc0', holds, at)
      -- The index cannot lie: what it offers is free.
      if record and string.byte(record, FREE_OFFSET + class + 1) > 0 then
        local tally = redis.call('HGET', tallies_key, site_number)
        if not tally or move_counts(tallies_key, block_key, site_number, tally, class, 1, 0, 0, last_moved(tally), offset) then
          return BROKEN
        end
        -- Encoded messages may be joined: a parser merges the parts.
        local entry = append_event(KEYS[2], event .. event_rest)
        redis.call('SET', reservation_key, packed_reservation(1, reservation .. reservation_rest .. class_rest) .. entry)
        redis.call('ZADD', KEYS[1], deadline, handle)
        return struct.pack('c1BB', 'H', candidate, class)
      end
    end
  end
  return NONE
end

local outcomes = {}
local at, number = 1, 0
while at <= #holds do
  local handle, deadline, tie, reservation, event, candidates_bytes
  handle, deadline, tie, reservation, event, candidates_bytes, at = struct.unpack('<c16I6Bc0I2c0I2c0I2', holds, at)
  number = number + 1
  local reservation_key, request_key = KEYS[2 * number + 1], KEYS[2 * number + 2]
  local is_known
  if tie == '' then
    is_known = redis.call('EXISTS', request_key) == 1
  else
    is_known = not redis.call('SET', request_key, tie, 'PX', tie_ms, 'NX')
  end
  if is_known or redis.call('EXISTS', reservation_key) == 1 then
    outcomes[number] = BY_ITSELF
  else
    outcomes[number] = take_first_free(reservation_key, handle, deadline, reservation, event, at, at + candidates_bytes)
  end
  at = at + candidates_bytes
end
return { 'taken', table.concat(outcomes) }
