-- The index records and the site counts, in the layouts of block/record.ts (allocator) and sites/site-counts.ts.

local RECORD_BYTES = 44
local REVISION_OFFSET = 12
local FREE_OFFSET = 36
-- The flag that only scripts write: 1 if the site reports its counts, even if its last report has expired.
local REPORTS_OFFSET = 18
local COUNTS_HEAD_BYTES = 7
local CLASS_BYTES = 10

-- The offset of a site's record in a block, or nil.
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

-- A site's record and its offset. Nil if the site is not in the cell any more or its facts have another revision: a new search sees the
-- current ones. `offset` is where the caller found the record.
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

-- The counts of a size class: installed, in service, occupied, held, and occupied by others: what the last report counted as occupied minus
-- what the store did. The last is negative if parcels of this network were gone whose collection was not recorded yet.
local function class_counts(site_counts, class)
  return struct.unpack('<I2I2I2I2i2', site_counts, COUNTS_HEAD_BYTES + class * CLASS_BYTES + 1)
end

local function packed_counts(installed, in_service, occupied, held, by_others)
  return struct.pack('<I2I2I2I2i2', installed, in_service, occupied, held, by_others)
end

-- When a parcel was last deposited or collected, in ms. 0: never.
local function last_moved(site_counts)
  return struct.unpack('<I6', site_counts)
end

-- Free to promise.
local function free_places(in_service, occupied, held, by_others)
  return math.max(0, in_service - occupied - held - math.max(0, by_others))
end

-- The byte of an index record that offers a size class: free to promise, at most 255.
local function free_byte(in_service, occupied, held, by_others)
  return string.char(math.min(255, free_places(in_service, occupied, held, by_others)))
end

-- Changes the counts of one size class and the byte that offers it together, so that the index always agrees with the counts. `offset` is
-- that of the site's record in its block, nil if the site is not in the index. Returns an error, or nil and the byte.
local function change_counts(
  counts_key, block_key, site_number, site_counts, class, held_change, occupied_change, by_others_change, moved_at, offset
)
  local installed, in_service, occupied, held, by_others = class_counts(site_counts, class)
  occupied = occupied + occupied_change
  held = held + held_change
  by_others = by_others + by_others_change
  if occupied < 0 or held < 0 then
    return redis.error_reply('PETAK counts below zero in ' .. counts_key)
  end
  local at = COUNTS_HEAD_BYTES + class * CLASS_BYTES
  redis.call(
    'HSET', counts_key, site_number,
    struct.pack('<I6', moved_at) .. string.sub(site_counts, 7, at)
      .. packed_counts(installed, in_service, occupied, held, by_others)
      .. string.sub(site_counts, at + CLASS_BYTES + 1)
  )
  local free = free_byte(in_service, occupied, held, by_others)
  if offset then
    redis.call('SETRANGE', block_key, offset + FREE_OFFSET + class, free)
  end
  return nil, free
end
