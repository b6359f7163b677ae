-- Which compartments of a site are taken by name: a hash, compartment id -> the handles of those who have it, a space after each. A hard
-- hold has the one that it was promised, a parcel the one behind whose door its agent says that it lies. There are two for one where a
-- parcel was put, without the network, where a hold had been promised; it is free when both are over.

local function take_name(key, compartment, handle)
  local holders = redis.call('HGET', key, compartment) or ''
  if not string.find(holders, handle .. ' ', 1, true) then
    redis.call('HSET', key, compartment, holders .. handle .. ' ')
  end
end

local function free_name(key, compartment, handle)
  local holders = redis.call('HGET', key, compartment)
  if not holders then
    return
  end
  -- A handle has letters and digits only.
  local others = string.gsub(holders, handle .. ' ', '')
  if others == '' then
    redis.call('HDEL', key, compartment)
  else
    redis.call('HSET', key, compartment, others)
  end
end

-- The first of a list of compartment ids, each after a byte of its length, that nobody has; nil where each is taken.
local function first_free_name(key, compartments)
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
