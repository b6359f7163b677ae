-- The administrative changes of one network. All keys are in one slot.
--
--   entries   stream, of which an entry has one field: `attempt`, a change that is about to be made, or `done`, one that was made
--   list      for each maker, i.e. participant or gateway: the ids of its entries, oldest first. An id stays when its entry is dropped for its age, until it is
--             the oldest of too many, or the maker has made nothing for as long as entries are stored
--   dropped   hash: maker → id of the last of its entries that was dropped, because it had too many; `*` → id before which all were dropped for their age

--   archived  the id of the last entry that is archived. Missing: none is

-- Most entries that one call drops: after a limit was lowered there are many.
local AUDIT_DROPPED_AT_ONCE = 100

local function remove_audit_entry(entries, list, id)
  redis.call('XDEL', entries, id)
  redis.call('LREM', list, -1, id)
end

local function is_after(id, other)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms > other_ms or (ms == other_ms and tonumber(number) > tonumber(other_number))
end

-- Drops the oldest entries of a maker that has too many, and everybody's that are too old. `until_id`: only entries up to this one. nil: any.
local function drop_audit_entries(newest, until_id)
  local entries, list, dropped = KEYS[1], KEYS[2], KEYS[4]
  local kept_ms, surplus, maker = tonumber(ARGV[3]), redis.call('LLEN', list) - tonumber(ARGV[4]), ARGV[5]
  for _ = 1, math.min(surplus, AUDIT_DROPPED_AT_ONCE) do
    local id = redis.call('LINDEX', list, 0)
    if until_id and is_after(id, until_id) then
      break
    end
    redis.call('LPOP', list)
    if redis.call('XDEL', entries, id) == 1 then
      redis.call('HSET', dropped, maker, id)
    end
  end
  local oldest = string.format('%.0f-0', math.max(tonumber(string.match(newest, '^%d+')) - kept_ms, 0))
  if until_id and is_after(oldest, until_id) then
    oldest = until_id
  end
  if redis.call('XTRIM', entries, 'MINID', oldest) > 0 then
    redis.call('HSET', dropped, '*', oldest)
  end
end

-- Adds an entry of a maker, in place of its oldest one if it has too many. Returns its id.
--
-- KEYS[1] entries  KEYS[2] list  KEYS[4] dropped  KEYS[5] archived
-- ARGV[1] entry  ARGV[3] how long entries are stored, in ms  ARGV[4] most entries of the maker  ARGV[5] the maker
-- ARGV[6] '1': only archived entries may be dropped, or '0'
local function add_audit_entry(field)
  local id = redis.call('XADD', KEYS[1], '*', field, ARGV[1])
  redis.call('RPUSH', KEYS[2], id)
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  drop_audit_entries(id, ARGV[6] == '1' and (redis.call('GET', KEYS[5]) or '0-0') or nil)
  return id
end
