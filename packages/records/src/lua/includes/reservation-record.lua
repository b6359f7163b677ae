-- A stored reservation: u32 revision, u16 length of the message, the message, then the chain: 10 bytes for each event about the reservation.
-- A chain contains the latest 2000 entries: usual are about ten, but issuing credentials repeatedly must not make it longer. The number of
-- earlier entries is then stored before them, as an entry of time 0.

local RESERVATION_HEAD_BYTES = 6
local CHAIN_MAX_BYTES = 20000

local function reservation_head(revision, message_bytes)
  return struct.pack('<I4I2', revision, message_bytes)
end

local NO_TIME = string.rep('\0', 6)

-- Shortens a chain to its latest entries, with the number of earlier ones before them.
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

-- How many events a stored reservation has.
local function events_in(stored, message_bytes)
  local chain_from = RESERVATION_HEAD_BYTES + message_bytes
  local listed = (#stored - chain_from) / 10
  if string.sub(stored, chain_from + 1, chain_from + 6) ~= NO_TIME then
    return listed
  end
  return listed - 1 + struct.unpack('<I4', string.sub(stored, chain_from + 7, chain_from + 10))
end

-- A complete record with entries added to its chain, and with a new head and message unless `head_and_message` is empty.
local function amended_record(stored, message_bytes, head_and_message, entries)
  local chain_from = RESERVATION_HEAD_BYTES + message_bytes
  if head_and_message == '' then
    head_and_message = string.sub(stored, 1, chain_from)
  end
  return head_and_message .. latest_of(string.sub(stored, chain_from + 1) .. entries)
end
