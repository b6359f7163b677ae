#!lua
-- Reads events of a region by their entries. Read-only.
--
-- KEYS[1] events
-- ARGV[1] entries, 10 bytes each
-- Returns {'read', then the bytes of each event, '' if the entry does not exist}

local reply = { 'read' }
for at = 1, #ARGV[1], 10 do
  local ms, number = struct.unpack('<I6I4', string.sub(ARGV[1], at, at + 9))
  local entry = string.format('%.0f-%.0f', ms, number)
  local found = redis.call('XRANGE', KEYS[1], entry, entry)[1]
  reply[#reply + 1] = found and found[2][2] or ''
end
return reply
