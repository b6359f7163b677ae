#!lua
-- Takes a hold at the first candidate that has a place, and writes the reservation, its deadline, its event and the remembered answer:
-- all or nothing. Safe to run twice: the second run finds the answer of the first.
--
-- KEYS[1] answer  KEYS[2] reservation  KEYS[3] deadlines  KEYS[4] events  KEYS[5] chain
-- KEYS[6] plan
-- KEYS[5 + 2i], KEYS[6 + 2i] site and block of candidate i, from 1
-- ARGV[1] fingerprint, 16 bytes   ARGV[2] ms for which the answer is remembered
-- ARGV[3] '1' where the caller follows a plan: nothing free is remembered too, so that a twin learns it; else '0'
-- ARGV[4] handle                  ARGV[5] deadline in ms
-- ARGV[6] reservation and ARGV[7] event, but for what depends on the candidate
-- then for each candidate: site number of 4 bytes, offset seen, revision seen, cell seen, number of classes,
--   and for each class, best first: index, rest of the reservation, rest of the event
-- Returns {'held', candidate from 1, class index} | {'repeated', reservation} | {'planned', plan} | {'reused'} | {'none'}

--- @include answers
--- @include events
--- @include site-index

local follows_plan = ARGV[3] == '1'
local known = not follows_plan and remembered(KEYS[6], ARGV[1]) or remembered(KEYS[1], ARGV[1])
if known then
  return known
end

local argument = 8
local candidates = (#KEYS - 6) / 2
for candidate = 1, candidates do
  local site_key, block_key = KEYS[5 + 2 * candidate], KEYS[6 + 2 * candidate]
  local site_number, hint, revision, cell = ARGV[argument], tonumber(ARGV[argument + 1]), ARGV[argument + 2], ARGV[argument + 3]
  local classes = tonumber(ARGV[argument + 4])
  local site = redis.call('HMGET', site_key, 'revision', 'cell', 'indexed', 'capacity')
  -- A site whose facts have changed is passed over: whoever searches again sees the new ones.
  if site[1] == revision and site[2] == cell and site[3] == '1' then
    for choice = 0, classes - 1 do
      local class = tonumber(ARGV[argument + 5 + 3 * choice])
      local _, in_service, occupied, held, beyond = class_counts(site[4], class)
      if free_places(in_service, occupied, held, beyond) > 0 then
        local failure = move_counts(site_key, block_key, site_number, site[4], class, 1, 0, 0, site[3], hint)
        if failure then
          return failure
        end
        -- Encoded messages may be joined: a parser merges the two halves.
        local reservation = ARGV[6] .. ARGV[argument + 6 + 3 * choice]
        redis.call('SET', KEYS[2], struct.pack('<I4', 1) .. reservation)
        redis.call('ZADD', KEYS[3], ARGV[5], ARGV[4])
        append_event(KEYS[4], KEYS[5], ARGV[7] .. ARGV[argument + 7 + 3 * choice])
        remember(KEYS[1], ARGV[1], 'A', reservation, ARGV[2])
        return { 'held', candidate, class }
      end
    end
  end
  argument = argument + 5 + 3 * classes
end
if follows_plan then
  remember(KEYS[1], ARGV[1], 'N', '', ARGV[2])
end
return { 'none' }
