-- Sites with fewer usable places than they hold, see sites/site-changes.ts. Include after site-index.
--
--   <shortages>   hash: site number -> when the shortage began, in ms: when the report was observed, or the parcel deposited, but not before the
--                 last report was observed; 0: it is over; a space; what was told of it

-- Whether a size class has too few usable places for what is held in it.
local function is_short(in_service, occupied, held, by_others)
  return held > 0 and in_service < occupied + held + math.max(0, by_others)
end

-- Whether any size class of a site has.
local function is_site_short(site_counts)
  for class = 0, class_count(site_counts) - 1 do
    local _, in_service, occupied, held, by_others = class_counts(site_counts, class)
    if is_short(in_service, occupied, held, by_others) then
      return true
    end
  end
  return false
end

-- Notes whether a site has a shortage now, so that its reservations are told. `since` is when that was observed.
local function note_shortage(shortages, site_text, short, since)
  local stored = redis.call('HGET', shortages, site_text)
  if short and not stored then
    redis.call('HSET', shortages, site_text, since .. ' ')
  elseif stored then
    local began, told = string.match(stored, '^(%d+) (.*)$')
    if short and began == '0' then
      redis.call('HSET', shortages, site_text, since .. ' ' .. told)
    elseif not short and began ~= '0' then
      redis.call('HSET', shortages, site_text, '0 ' .. told)
    end
  end
end
