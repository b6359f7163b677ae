-- The packed index, as block/record.ts and capacity/capacity.ts lay it out.

local RECORD_BYTES = 40
local FREE_OFFSET = 32
local CLASS_BYTES = 8

-- Offset of a site's record in its block, or nil. `hint` is where the caller saw it, -1 for nowhere.
local function record_offset(block_key, site_number, hint)
  if hint >= 0 and redis.call('GETRANGE', block_key, hint, hint + 3) == site_number then
    return hint
  end
  local block = redis.call('GET', block_key)
  if not block then
    return nil
  end
  local at = string.find(block, site_number, 1, true)
  while at do
    if (at - 1) % RECORD_BYTES == 0 then
      return at - 1
    end
    at = string.find(block, site_number, at + 1, true)
  end
  return nil
end

-- installed, in service, occupied, held of a size class.
local function class_counts(capacity, class)
  return struct.unpack('<I2I2I2I2', capacity, class * CLASS_BYTES + 1)
end

-- The byte that offers a size class: free to promise, 255 meaning 255 or more.
local function free_byte(in_service, occupied, held)
  return string.char(math.max(0, math.min(255, in_service - occupied - held)))
end

-- Moves the counts of one size class and the byte that offers it. Both change here and nowhere else, so that the index cannot lie.
local function move_counts(site_key, block_key, site_number, capacity, class, held_change, occupied_change, indexed, hint)
  local installed, in_service, occupied, held = class_counts(capacity, class)
  occupied = occupied + occupied_change
  held = held + held_change
  if occupied < 0 or held < 0 then
    return redis.error_reply('PETAK counts below zero at ' .. site_key)
  end
  local before = string.sub(capacity, 1, class * CLASS_BYTES)
  local after = string.sub(capacity, (class + 1) * CLASS_BYTES + 1)
  redis.call('HSET', site_key, 'capacity', before .. struct.pack('<I2I2I2I2', installed, in_service, occupied, held) .. after)
  if indexed == '1' then
    local offset = record_offset(block_key, site_number, hint)
    if offset then
      redis.call('SETRANGE', block_key, offset + FREE_OFFSET + class, free_byte(in_service, occupied, held))
    end
  end
  return nil
end
