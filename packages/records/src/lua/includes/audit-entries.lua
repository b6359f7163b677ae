-- The administrative changes of one network. All keys are in one slot.
--
--   entries   stream, of which an entry has one field: `attempt`, a change that is about to be made, or `done`, one that was made
--   list      for each maker, i.e. participant or gateway: the ids of its entries, oldest first. An id stays when its entry is dropped for its age, until it is
--             the oldest of too many, or the maker has made nothing for as long as entries are stored
--   dropped   hash: maker → id of the last of its entries that was dropped, because it had too many; `*` → id before which all were dropped for their age

-- Most entries that one call drops: after a limit was lowered there are many.
local AUDIT_DROPPED_AT_ONCE = 100

local function add_audit_entry(entries, list, field, entry, kept_ms)
  local id = redis.call('XADD', entries, '*', field, entry)
  redis.call('RPUSH', list, id)
  redis.call('PEXPIRE', list, kept_ms)
  return id
end

local function remove_audit_entry(entries, list, id)
  redis.call('XDEL', entries, id)
  redis.call('LREM', list, -1, id)
end

-- Drops the oldest entries of a maker that has too many, and everybody's that are too old.
local function drop_audit_entries(entries, list, dropped, maker, newest, entries_max, kept_ms)
  local surplus = redis.call('LLEN', list) - entries_max
  for _ = 1, math.min(surplus, AUDIT_DROPPED_AT_ONCE) do
    local id = redis.call('LPOP', list)
    if redis.call('XDEL', entries, id) == 1 then
      redis.call('HSET', dropped, maker, id)
    end
  end
  local oldest = string.format('%.0f', math.max(tonumber(string.match(newest, '^%d+')) - kept_ms, 0))
  if redis.call('XTRIM', entries, 'MINID', oldest) > 0 then
    redis.call('HSET', dropped, '*', oldest .. '-0')
  end
end
