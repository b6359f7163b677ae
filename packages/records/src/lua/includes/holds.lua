-- The unconfirmed holds of each participant: its reservations in state HELD. Include after site-index.
--
--   <held>            hash: participant in a network, and a site number as 4 bytes -> its share there: the number of its held reservations, then
--                     ' <class>:<number>' for each size class of which it holds places
--   <held>:<sharer>   sorted set: handle -> when the hold expires, in ms; the participant's held reservations in the region
--
-- Invariant: a handle is in the sorted set of its participant exactly while its reservation is HELD, except those that were held in store version 2.
-- Those are in no set, so that what ends them changes no count.
--
-- Limits on holds: u16 holds at a site that are always allowed, u8 percent of the site's places that are free or held by the participant, u32 holds
-- in the region.

local function held_key(held, sharer)
  return held .. ':' .. sharer
end

local function held_share(sharer, site_number)
  return sharer .. ' ' .. site_number
end

local function holds_in_region(held, sharer)
  return redis.call('ZCARD', held_key(held, sharer))
end

-- The participant's holds at a site: `all`, and by the index of the size class. Holds from before they were counted by class are in `all` alone.
local function holds_at_site(held, share)
  local stored = redis.call('HGET', held, share)
  if not stored then
    return { all = 0 }
  end
  local own = { all = tonumber(string.match(stored, '^%d+')) }
  for class, number in string.gmatch(stored, ' (%d+):(%d+)') do
    own[tonumber(class)] = tonumber(number)
  end
  return own
end

local function share_text(own)
  local text = string.format('%d', own.all)
  for class, number in pairs(own) do
    if class ~= 'all' and number > 0 then
      text = text .. string.format(' %d:%d', class, number)
    end
  end
  return text
end

local function add_to_share(own, class, change)
  own.all = own.all + change
  own[class] = math.max(0, (own[class] or 0) + change)
end

-- The participant's holds in the region, and at a site of it.
local function count_holds(held, sharer, site_number)
  return holds_in_region(held, sharer), holds_at_site(held, held_share(sharer, site_number))
end

-- Whether a participant may not hold one more place of a size class. Returns nil, or 'S', 'C' or 'R' for site, size class or region, the limit, and the number
-- of its holds. The share is one of the site and one of the class, so that nobody holds all of the few large places; whoever has no place of the class yet may
-- have one.
local function exhausted_limit(limits, in_region, own, site_counts, class)
  local site_least, site_percent, region_most = struct.unpack('<I2BI4', limits)
  if in_region >= region_most then
    return 'R', region_most, in_region
  end
  if own.all < site_least or site_percent >= 100 then
    return nil
  end
  local places, places_of_class = own.all, own[class] or 0
  for each = 0, string.byte(site_counts, COUNTS_HEAD_BYTES) - 1 do
    local _, in_service, occupied, held, by_others = class_counts(site_counts, each)
    local free = free_places(in_service, occupied, held, by_others)
    places = places + free
    places_of_class = places_of_class + (each == class and free or 0)
  end
  local most = math.max(site_least, math.floor(places * site_percent / 100))
  if own.all >= most then
    return 'S', most, own.all
  end
  local most_of_class = math.max(1, math.floor(places_of_class * site_percent / 100))
  if (own[class] or 0) >= most_of_class then
    return 'C', most_of_class, own[class]
  end
  return nil
end

-- When the first of the participant's holds in the region expires, in ms. 0: it has none.
local function first_expiry(held, sharer)
  return tonumber(redis.call('ZRANGE', held_key(held, sharer), 0, 0, 'WITHSCORES')[2] or '0')
end

-- Describes an exhausted limit: its scope, u32 limit, u32 number of holds, u48 ms of the first expiry.
local function packed_exhaustion(scope, limit, used, expires)
  return scope .. struct.pack('<I4I4I6', limit, used, expires)
end

local function count_hold(held, sharer, site_number, class, handle, expires)
  redis.call('ZADD', held_key(held, sharer), expires, handle)
  local share = held_share(sharer, site_number)
  local own = holds_at_site(held, share)
  add_to_share(own, class, 1)
  redis.call('HSET', held, share, share_text(own))
end

-- Ends the counting of a hold. Returns false if it was not counted.
local function uncount_hold(held, sharer, site_number, class, handle)
  if redis.call('ZREM', held_key(held, sharer), handle) == 0 then
    return false
  end
  local share = held_share(sharer, site_number)
  local own = holds_at_site(held, share)
  add_to_share(own, class, -1)
  if own.all <= 0 then
    redis.call('HDEL', held, share)
  else
    redis.call('HSET', held, share, share_text(own))
  end
  return true
end
