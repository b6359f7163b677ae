-- A stored reservation: u32 revision, u16 length of the message, the message, then the reservation's chain: 10 bytes for each event about it.
-- A chain keeps its latest 2000: a parcel's life has about ten, and who asks for credentials without end must not make it longer.

local RESERVATION_HEAD_BYTES = 6
local CHAIN_MAX_BYTES = 20000

local function reservation_head(revision, message_bytes)
  return struct.pack('<I4I2', revision, message_bytes)
end

-- A whole record with its message written anew where `head_and_message` is not empty, and with more events in its chain.
local function amended_record(stored, message_bytes, head_and_message, entries)
  local chain_from = RESERVATION_HEAD_BYTES + message_bytes
  if head_and_message == '' then
    head_and_message = string.sub(stored, 1, chain_from)
  end
  return head_and_message .. string.sub(string.sub(stored, chain_from + 1) .. entries, -CHAIN_MAX_BYTES)
end
