-- The named compartments of a site that are taken: a hash, compartment id -> the handles of the reservations that have it, each followed by a
-- space. A hard hold has the compartment that was promised, a parcel the one that its agent reported. A compartment has two reservations if,
-- without the network, a parcel was deposited where a hard hold had been promised. It is free when both have ended.

local function take_compartment(key, compartment, handle)
  local holders = redis.call('HGET', key, compartment) or ''
  if not string.find(holders, handle .. ' ', 1, true) then
    redis.call('HSET', key, compartment, holders .. handle .. ' ')
  end
end

local function free_compartment(key, compartment, handle)
  local holders = redis.call('HGET', key, compartment)
  if not holders then
    return
  end
  -- As a pattern: a handle consists of letters and digits only.
  local others = string.gsub(holders, handle .. ' ', '')
  if others == '' then
    redis.call('HDEL', key, compartment)
  else
    redis.call('HSET', key, compartment, others)
  end
end

-- The first free compartment of a list of ids, each after a byte of its length. Nil if all are taken.
local function first_free_compartment(key, compartments)
  local taken = {}
  for _, compartment in ipairs(redis.call('HKEYS', key)) do
    taken[compartment] = true
  end
  local at = 1
  while at <= #compartments do
    local compartment
    compartment, at = struct.unpack('Bc0', compartments, at)
    if not taken[compartment] then
      return compartment
    end
  end
  return nil
end
