-- The packed index, as block/record.ts and capacity/capacity.ts lay it out.

local RECORD_BYTES = 44
local OBSERVED_OFFSET = 28
local FREE_OFFSET = 36
local CLASS_BYTES = 10

-- What a report says in place of how long it holds where it ends the reports.
local OWN_COUNTS = 65535

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

-- installed, in service, occupied, held of a size class, and what its site's last report counted as occupied beyond our own: below 0 where
-- parcels of ours were gone that are not recorded as collected yet.
local function class_counts(capacity, class)
  return struct.unpack('<I2I2I2I2i2', capacity, class * CLASS_BYTES + 1)
end

local function packed_counts(installed, in_service, occupied, held, beyond)
  return struct.pack('<I2I2I2I2i2', installed, in_service, occupied, held, beyond)
end

-- Free to promise.
local function free_places(in_service, occupied, held, beyond)
  return math.max(0, in_service - occupied - held - math.max(0, beyond))
end

-- The byte that offers a size class: free to promise, 255 meaning 255 or more.
local function free_byte(in_service, occupied, held, beyond)
  return string.char(math.min(255, free_places(in_service, occupied, held, beyond)))
end

-- When a site's last report was observed, in ms, and for how long it holds, in s: 0 not any more, OWN_COUNTS. Nil where it never reported.
local function report_times(report)
  if not report then
    return nil
  end
  return struct.unpack('<I6I2', report)
end

-- What a record says of it.
local function observed_bytes(observed, ttl)
  if not observed or ttl == OWN_COUNTS then
    return string.rep('\0', 8)
  end
  return struct.pack('<I4I2I2', math.floor(observed / 1000), ttl, 0)
end

-- Moves the counts of one size class and the byte that offers it, in one step, so that the index cannot lie.
local function move_counts(
  site_key, block_key, site_number, capacity, class, held_change, occupied_change, beyond_change, indexed, hint
)
  local installed, in_service, occupied, held, beyond = class_counts(capacity, class)
  occupied = occupied + occupied_change
  held = held + held_change
  beyond = beyond + beyond_change
  if occupied < 0 or held < 0 then
    return redis.error_reply('PETAK counts below zero at ' .. site_key)
  end
  local before = string.sub(capacity, 1, class * CLASS_BYTES)
  local after = string.sub(capacity, (class + 1) * CLASS_BYTES + 1)
  redis.call('HSET', site_key, 'capacity', before .. packed_counts(installed, in_service, occupied, held, beyond) .. after)
  if indexed == '1' then
    local offset = record_offset(block_key, site_number, hint)
    if offset then
      redis.call('SETRANGE', block_key, offset + FREE_OFFSET + class, free_byte(in_service, occupied, held, beyond))
    end
  end
  return nil
end
