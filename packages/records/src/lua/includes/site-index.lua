-- The packed index, as block/record.ts and capacity/tally.ts lay it out.

local RECORD_BYTES = 44
local REVISION_OFFSET = 12
local FREE_OFFSET = 36
-- The byte of the flags that scripts write and nobody else: 1 where what the site reports is in force, or was, until it ends its reports.
local REPORTS_OFFSET = 18
local TALLY_HEAD_BYTES = 7
local CLASS_BYTES = 10

-- Offset of a site's record in a block, or nil.
local function offset_in(block, site_number)
  local at = string.find(block, site_number, 1, true)
  while at do
    if (at - 1) % RECORD_BYTES == 0 then
      return at - 1
    end
    at = string.find(block, site_number, at + 1, true)
  end
  return nil
end

local function record_offset(block_key, site_number)
  local block = redis.call('GET', block_key)
  return block and offset_in(block, site_number) or nil
end

-- A site's record as it stands and its offset, nil where the site is not filed in the cell any more or its facts have changed since: whoever
-- searches again sees the new ones. `offset` is where the caller saw it.
local function unchanged_record(block_key, offset, site_number, revision)
  local record = redis.call('GETRANGE', block_key, offset, offset + RECORD_BYTES - 1)
  if string.sub(record, 1, 4) ~= site_number then
    offset = record_offset(block_key, site_number)
    if not offset then
      return nil
    end
    record = redis.call('GETRANGE', block_key, offset, offset + RECORD_BYTES - 1)
  end
  if string.sub(record, REVISION_OFFSET + 1, REVISION_OFFSET + 4) ~= revision then
    return nil
  end
  return record, offset
end

-- installed, in service, occupied, held of a size class, and what its site's last report counted as occupied beyond our own: below 0 where
-- parcels of ours were gone that are not recorded as collected yet.
local function class_counts(tally, class)
  return struct.unpack('<I2I2I2I2i2', tally, TALLY_HEAD_BYTES + class * CLASS_BYTES + 1)
end

local function packed_counts(installed, in_service, occupied, held, beyond)
  return struct.pack('<I2I2I2I2i2', installed, in_service, occupied, held, beyond)
end

-- When a parcel last went in or came out, in ms, 0 for never.
local function last_moved(tally)
  return struct.unpack('<I6', tally)
end

-- Free to promise.
local function free_places(in_service, occupied, held, beyond)
  return math.max(0, in_service - occupied - held - math.max(0, beyond))
end

-- The byte that offers a size class: free to promise, 255 meaning 255 or more.
local function free_byte(in_service, occupied, held, beyond)
  return string.char(math.min(255, free_places(in_service, occupied, held, beyond)))
end

-- Moves the counts of one size class and the byte that offers it, in one step, so that the index cannot lie. `offset` is that of the site's
-- record in its block, nil where it is not filed. Gives what went wrong, or nil and the byte.
local function move_counts(
  tallies_key, block_key, site_number, tally, class, held_change, occupied_change, beyond_change, moved_at, offset
)
  local installed, in_service, occupied, held, beyond = class_counts(tally, class)
  occupied = occupied + occupied_change
  held = held + held_change
  beyond = beyond + beyond_change
  if occupied < 0 or held < 0 then
    return redis.error_reply('PETAK counts below zero in ' .. tallies_key)
  end
  local at = TALLY_HEAD_BYTES + class * CLASS_BYTES
  redis.call(
    'HSET', tallies_key, site_number,
    struct.pack('<I6', moved_at) .. string.sub(tally, 7, at)
      .. packed_counts(installed, in_service, occupied, held, beyond)
      .. string.sub(tally, at + CLASS_BYTES + 1)
  )
  local free = free_byte(in_service, occupied, held, beyond)
  if offset then
    redis.call('SETRANGE', block_key, offset + FREE_OFFSET + class, free)
  end
  return nil, free
end
