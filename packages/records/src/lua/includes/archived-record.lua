-- Records of which the archive has a copy. Goes after reservation-record.lua.

-- Whether a reservation is still as the archive has it: 'same', 'other', or 'gone'. `tail` is the last entry of its chain, 10 bytes.
local function compared_record(key, revision, tail)
  local head = redis.call('GETRANGE', key, 0, RESERVATION_HEAD_BYTES - 1)
  if head == '' then
    return 'gone'
  end
  if struct.unpack('<I4', head) ~= revision or redis.call('GETRANGE', key, -#tail, -1) ~= tail then
    return 'other'
  end
  return 'same'
end
