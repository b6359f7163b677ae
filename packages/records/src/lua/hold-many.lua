#!lua
-- Takes holds of one region for many requests in one step, each at the first of its candidates that has a place, and writes reservation,
-- deadline and event with it. What is the same for every hold of a script (to begin it, to look at its keys, to answer) is so much that a hold
-- by itself takes three times as long. A hold that is anything but plain is left as it is, for lua/reserve.lua to take by itself: one whose
-- request id came before, or is on its way by a plan. Safe to run twice: the second run finds each request id tied, and takes nothing.
--
-- KEYS[1] deadlines  KEYS[2] events
-- then each hold's reservation
-- then for each hold what ties its request id or, where it was tied just now, its plan
-- then block and tallies of each cell
-- ARGV[1] ms for which a request id stays tied  ARGV[2] number of holds
-- ARGV[3] holds, each: 16 bytes of handle, u48 deadline in ms, u8 length and what the request id is tied to (empty: it was tied just now),
--   u16 length and reservation, u16 length and event, but for what depends on the candidate, u16 length of the candidates, and these:
--   u32 offset seen in the block, 4 bytes of site number, 4 bytes of revision seen, u8 cell from 1, u8 number of classes,
--   u8 length and rest of the reservation, u8 length and rest of the event, and for each class, best first: u8 index, u8 length and
--   rest of the reservation
-- ARGV[4] '1' where the caller is told of no change that it makes itself: the server forgets with each change whom to tell of the next, so that
--   the blocks have to be read once more, else ''
-- Returns {'taken', outcomes}, four bytes for each hold: 'H', candidate from 1, class, the byte that now offers the class: held | 'N': nothing is
--   free, and the request id is tied now | 'O': to be taken by itself, and nothing was done | 'B': it failed, as its site's counts are broken

--- @include events
--- @include reservation-record
--- @include site-index

local tie_ms, count, holds = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local before_cells = 2 + 2 * count

local NONE, BY_ITSELF, BROKEN = 'N\0\0\0', 'O\0\0\0', 'B\0\0\0'

-- Score and handle of each hold that was taken, for one command: a sorted set is slow to find.
local deadlines = {}
local changed_blocks = {}

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
        if not tally then
          return BROKEN
        end
        changed_blocks[block_key] = true
        local failure, free = move_counts(
          tallies_key, block_key, site_number, tally, class, 1, 0, 0, last_moved(tally), offset
        )
        if failure then
          return BROKEN
        end
        -- Encoded messages may be joined: a parser merges the parts.
        local entry = append_event(KEYS[2], event .. event_rest)
        local message_bytes = #reservation + #reservation_rest + #class_rest
        redis.call(
          'SET', reservation_key,
          reservation_head(1, message_bytes) .. reservation .. reservation_rest .. class_rest .. entry
        )
        deadlines[#deadlines + 1] = deadline
        deadlines[#deadlines + 1] = handle
        return 'H' .. string.char(candidate, class) .. free
      end
    end
  end
  return NONE
end

local reservations = redis.call('MGET', unpack(KEYS, 3, 2 + count))
local outcomes = {}
local at = 1
for number = 1, count do
  local handle, deadline, tie, reservation, event, candidates_bytes
  handle, deadline, tie, reservation, event, candidates_bytes, at = struct.unpack('<c16I6Bc0I2c0I2c0I2', holds, at)
  local request_key = KEYS[2 + count + number]
  local is_known
  if tie == '' then
    -- A command that may write: what is only read over a tracked connection, the server remembers until it changes, and this key comes but once.
    is_known = redis.call('GETEX', request_key) ~= false
  else
    is_known = not redis.call('SET', request_key, tie, 'PX', tie_ms, 'NX')
  end
  if is_known or reservations[number] then
    outcomes[number] = BY_ITSELF
  else
    -- One that fails must not keep the others from having all that goes with them.
    local is_done, outcome =
      pcall(take_first_free, KEYS[2 + number], handle, deadline, reservation, event, at, at + candidates_bytes)
    outcomes[number] = is_done and outcome or BROKEN
  end
  at = at + candidates_bytes
end
if #deadlines > 0 then
  redis.call('ZADD', KEYS[1], unpack(deadlines))
end
publish_events(KEYS[2])
if ARGV[4] == '1' then
  for block_key in pairs(changed_blocks) do
    redis.call('STRLEN', block_key)
  end
end
return { 'taken', table.concat(outcomes) }
