-- The administrative changes of one network. All keys are in one slot.
--
--   entries   stream, of which an entry has one field: `attempt`, a change that is about to be made, or `done`, one that was made
--   list      for each maker, i.e. participant or gateway: the ids of its entries, oldest first. An id stays when its entry is dropped for its age, until it is
--             the oldest of too many, or the maker has made nothing for as long as entries are stored
--   dropped   hash: maker → id of the last of its entries that was dropped, because it had too many; `*` → id before which all were dropped for their age

--   archived  the id of the last entry that is archived. Missing: none is

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

local function is_after(id, other)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms > other_ms or (ms == other_ms and tonumber(number) > tonumber(other_number))
end

-- Drops the oldest entries of a maker that has too many, and everybody's that are too old. `archived`: only what is archived by this key. false: any.
local function drop_audit_entries(entries, list, dropped, archived, maker, newest, entries_max, kept_ms)
  local until_id = archived and (redis.call('GET', archived) or '0-0')
  local surplus = redis.call('LLEN', list) - entries_max
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
