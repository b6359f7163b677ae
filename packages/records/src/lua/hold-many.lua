#!lua
-- Takes soft holds of one region for many requests, each at the first of its candidates that has a place, and writes reservation, deadline and
-- event. Batched since each script has a fixed cost (to start it, to check its keys, to reply): a hold alone takes three times as long. A hold
-- that needs more than this, since its request id was used before or it follows a plan, is left to lua/reserve.lua. Idempotent: a repeated run
-- finds the request ids bound and takes nothing.
--
-- KEYS[1] deadlines  KEYS[2] events  KEYS[3] holds of participants, see includes/holds.lua
-- then for each hold its reservation
-- then for each hold the key of its request id or, if that was bound just before, the key of its plan
-- then for each cell its block and its site counts
-- ARGV[1] how long a request id stays bound, in ms  ARGV[2] number of holds
-- ARGV[3] holds, for each: 16 bytes of handle, u48 deadline in ms, u8 length and binding of the request id ('': it was bound just before),
--   u8 length and participant in its network, 7 bytes of limits on its holds, u16 length and reservation, u16 length and event, both without the candidate's parts, u16 length of the candidates, and for each candidate:
--   u32 offset in the block, 4 bytes of site number, 4 bytes of revision, all as the caller saw them, u8 cell from 1, u8 number of classes,
--   u8 length and the site's part of the reservation, u8 length and the site's part of the event, and for each class, best first: u8 index,
--   u8 length and the class's part of the reservation
-- ARGV[4] '1' if the client gets no invalidations for its own changes (NOLOOP), else ''. The server then stops tracking a key that the client
--   changes for the client, so the blocks have to be read again
-- Returns {'taken', outcomes, descriptions of the limits of those with 'X'}, the outcomes in four bytes for each hold: 'H', candidate from 1, class, the byte that offers the class now: held | 'N': no place
--   is free, and the request id is bound | 'O': to be taken alone, and nothing was changed
--   | 'X': a place is free, but the participant may hold no more there, and the request id is bound | 'B': it failed, since its site's counts are invalid

--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds

local bound_ms, count, holds = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local before_cells = 3 + 2 * count

local HELD = KEYS[3]
local NONE, ALONE, BROKEN, EXHAUSTED = 'N\0\0\0', 'O\0\0\0', 'B\0\0\0', 'X\0\0\0'

-- Score and handle of each hold that was taken, for a single command: looking up the sorted set is slow.
local deadlines = {}
local changed_blocks = {}
local exhaustions = {}

-- Holds of the batch's participants, read once: in the region by participant, at a site by share. Those of this batch are written by one command each.
local in_region, at_site, new_holds, changed_shares = {}, {}, {}, {}

local function read_holds(sharer, share)
  in_region[sharer] = in_region[sharer] or holds_in_region(HELD, sharer)
  at_site[share] = at_site[share] or holds_at_site(HELD, share)
end

-- When the first hold of the participant expires, counting those of this batch.
local function first_of(sharer)
  local first, added = first_expiry(HELD, sharer), new_holds[sharer] or {}
  for number = 1, #added, 2 do
    if first == 0 or added[number] < first then
      first = added[number]
    end
  end
  return first
end

local function add_hold(sharer, share, class, handle, deadline)
  in_region[sharer] = in_region[sharer] + 1
  add_to_share(at_site[share], class, 1)
  changed_shares[share] = true
  local added = new_holds[sharer] or {}
  added[#added + 1], added[#added + 2] = deadline, handle
  new_holds[sharer] = added
end

local function write_holds()
  for sharer, added in pairs(new_holds) do
    redis.call('ZADD', held_key(HELD, sharer), unpack(added))
  end
  local counts = {}
  for share in pairs(changed_shares) do
    counts[#counts + 1], counts[#counts + 2] = share, share_text(at_site[share])
  end
  if #counts > 0 then
    redis.call('HSET', HELD, unpack(counts))
  end
end

-- Takes a place of a size class of a site. Returns the outcome, or nil if the participant may hold no more there.
local function take_place(hold, candidate, place, class, class_part)
  local site_counts = redis.call('HGET', place.counts_key, place.site_number)
  if not site_counts then
    return BROKEN
  end
  local share = held_share(hold.sharer, place.site_number)
  read_holds(hold.sharer, share)
  local scope, most, used = exhausted_limit(hold.limits, in_region[hold.sharer], at_site[share], site_counts, class)
  if scope then
    hold.exhausted = packed_exhaustion(scope, most, used, first_of(hold.sharer))
    return nil
  end
  changed_blocks[place.block_key] = true
  local failure, free = change_counts(
    place.counts_key, place.block_key, place.site_number, site_counts, class, 1, 0, 0, last_moved(site_counts), place.offset
  )
  if failure then
    return BROKEN
  end
  -- Encoded messages may be concatenated: a parser merges the parts.
  local entry = append_event(KEYS[2], hold.event .. place.event_part)
  local message_bytes = #hold.reservation + #place.reservation_part + #class_part
  redis.call(
    'SET', hold.key,
    reservation_head(1, message_bytes) .. hold.reservation .. place.reservation_part .. class_part .. entry
  )
  deadlines[#deadlines + 1] = hold.deadline
  deadlines[#deadlines + 1] = hold.handle
  add_hold(hold.sharer, share, class, hold.handle, hold.deadline)
  return 'H' .. string.char(candidate, class) .. free
end

local function take_first_free(hold, at, candidates_end)
  local candidate = 0
  while at < candidates_end do
    local seen_offset, site_number, revision, cell, classes, reservation_part, event_part
    seen_offset, site_number, revision, cell, classes, reservation_part, event_part, at =
      struct.unpack('<I4c4c4BBBc0Bc0', holds, at)
    candidate = candidate + 1
    local block_key = KEYS[before_cells + 2 * cell - 1]
    local record, offset = unchanged_record(block_key, seen_offset, site_number, revision)
    -- A table of known size: growing one field by field is slow.
    local place = {
      site_number = site_number, reservation_part = reservation_part, event_part = event_part, block_key = block_key,
      counts_key = KEYS[before_cells + 2 * cell], offset = offset,
    }
    for _ = 1, classes do
      local class, class_part
      class, class_part, at = struct.unpack('BBc0', holds, at)
      -- The index agrees with the counts, so a place that it offers is free.
      if record and string.byte(record, FREE_OFFSET + class + 1) > 0 then
        local outcome = take_place(hold, candidate, place, class, class_part)
        if outcome then
          return outcome
        end
      end
    end
  end
  if hold.exhausted then
    exhaustions[#exhaustions + 1] = hold.exhausted
    return EXHAUSTED
  end
  return NONE
end

local reservations = redis.call('MGET', unpack(KEYS, 4, 3 + count))
local outcomes = {}
local at = 1
for number = 1, count do
  local handle, deadline, binding, sharer, limits, reservation, event, candidates_bytes
  handle, deadline, binding, sharer, limits, reservation, event, candidates_bytes, at =
    struct.unpack('<c16I6Bc0Bc0c7I2c0I2c0I2', holds, at)
  local request_key = KEYS[3 + count + number]
  local is_known
  if binding == '' then
    -- A command that may write: the server would track a key that is only read over a tracking connection, and this key is read only once.
    is_known = redis.call('GETEX', request_key) ~= false
  else
    is_known = not redis.call('SET', request_key, binding, 'PX', bound_ms, 'NX')
  end
  if is_known or reservations[number] then
    outcomes[number] = ALONE
  else
    -- The failure of one must not leave the others incomplete.
    local hold = {
      key = KEYS[3 + number], handle = handle, deadline = deadline, sharer = sharer, limits = limits, reservation = reservation, event = event,
      exhausted = nil,
    }
    local is_done, outcome = pcall(take_first_free, hold, at, at + candidates_bytes)
    outcomes[number] = is_done and outcome or BROKEN
  end
  at = at + candidates_bytes
end
if #deadlines > 0 then
  redis.call('ZADD', KEYS[1], unpack(deadlines))
end
write_holds()
publish_events(KEYS[2])
if ARGV[4] == '1' then
  for block_key in pairs(changed_blocks) do
    redis.call('STRLEN', block_key)
  end
end
return { 'taken', table.concat(outcomes), table.concat(exhaustions) }
