-- A stored reservation: u32 revision, u16 length of the message, the message, then the reservation's chain: 10 bytes for each event about it.
-- A chain keeps its latest 2000: a parcel's life has about ten, and who asks for credentials without end must not make it longer. How many are not
-- in it any more then stands before them, as an entry of time 0.

local RESERVATION_HEAD_BYTES = 6
local CHAIN_MAX_BYTES = 20000

local function reservation_head(revision, message_bytes)
  return struct.pack('<I4I2', revision, message_bytes)
end

local NO_TIME = string.rep('\0', 6)

-- A chain's latest entries, and before them how many others there were.
local function latest_of(chain)
  local left_out, from = 0, 1
  if string.sub(chain, 1, 6) == NO_TIME then
    left_out, from = struct.unpack('<I4', string.sub(chain, 7, 10)), 11
  end
  local excess = #chain - from + 1 - CHAIN_MAX_BYTES
  if excess <= 0 then
    return chain
  end
  return NO_TIME .. struct.pack('<I4', left_out + excess / 10) .. string.sub(chain, -CHAIN_MAX_BYTES)
end

-- A whole record with its message written anew where `head_and_message` is not empty, and with more events in its chain.
local function amended_record(stored, message_bytes, head_and_message, entries)
  local chain_from = RESERVATION_HEAD_BYTES + message_bytes
  if head_and_message == '' then
    head_and_message = string.sub(stored, 1, chain_from)
  end
  return head_and_message .. latest_of(string.sub(stored, chain_from + 1) .. entries)
end
