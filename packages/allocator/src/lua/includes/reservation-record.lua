-- A stored reservation: u32 revision, u16 length of the message, the message, then the reservation's chain: 10 bytes for each event about it.
-- A chain keeps its latest 2000: a parcel's life has about ten, and who asks for credentials without end must not make it longer.

local RESERVATION_HEAD_BYTES = 6
local CHAIN_MAX_BYTES = 20000

local function reservation_head(revision, message_bytes)
  return struct.pack('<I4I2', revision, message_bytes)
end

-- Writes a reservation's message anew where `head_and_message` is not empty, and appends events to its chain.
local function write_reservation(key, message_bytes, head_and_message, entries)
  if head_and_message == '' then
    if entries ~= '' then
      local length = redis.call('APPEND', key, entries)
      local chain_bytes = length - RESERVATION_HEAD_BYTES - message_bytes
      -- Cut now and then, not each time.
      if chain_bytes >= 2 * CHAIN_MAX_BYTES then
        local head = redis.call('GETRANGE', key, 0, RESERVATION_HEAD_BYTES + message_bytes - 1)
        redis.call('SET', key, head .. redis.call('GETRANGE', key, -CHAIN_MAX_BYTES, -1))
      end
    end
    return
  end
  local chain = redis.call('GETRANGE', key, RESERVATION_HEAD_BYTES + message_bytes, -1) .. entries
  redis.call('SET', key, head_and_message .. string.sub(chain, -CHAIN_MAX_BYTES))
end
