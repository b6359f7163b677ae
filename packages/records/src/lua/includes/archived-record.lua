-- Compares stored reservations with their archived copies. Include after reservation-record.lua.

-- Compares a stored reservation with its archived revision and the last entry of its chain (10 bytes): 'same', 'changed', or 'missing'.
local function compare_record(key, revision, last_entry)
  local head = redis.call('GETRANGE', key, 0, RESERVATION_HEAD_BYTES - 1)
  if head == '' then
    return 'missing'
  end
  if struct.unpack('<I4', head) ~= revision or redis.call('GETRANGE', key, -#last_entry, -1) ~= last_entry then
    return 'changed'
  end
  return 'same'
end
