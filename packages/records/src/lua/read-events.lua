#!lua
-- Reads events of a region by their entries. Changes nothing.
--
-- KEYS[1] events
-- ARGV[1] 10 bytes of each entry
-- Returns {'read', bytes of each event, empty where there is no such entry}

local reply = { 'read' }
for at = 1, #ARGV[1], 10 do
  local ms, number = struct.unpack('<I6I4', string.sub(ARGV[1], at, at + 9))
  local entry = string.format('%.0f-%.0f', ms, number)
  local found = redis.call('XRANGE', KEYS[1], entry, entry)[1]
  reply[#reply + 1] = found and found[2][2] or ''
end
return reply
