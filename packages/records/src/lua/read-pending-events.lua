#!lua
-- Reads the events of a region after its feed watermark. Read-only.
--
-- KEYS[1] feed watermarks, see lua/advance-feed-watermark.lua  KEYS[2] events
-- ARGV[1] most events to read  ARGV[2] entry `<ms>-<number>` to read after instead, '': read after the watermark
-- Returns {'read', watermark in 10 bytes, '': none, then for each event: its entry, its bytes}

local watermark = redis.call('HGET', KEYS[1], '*')
local after = ARGV[2]
if after == '' then
  after = '0-0'
  if watermark then
    local ms, number = struct.unpack('<I6I4', watermark)
    after = string.format('%.0f-%.0f', ms, number)
  end
end
local reply = { 'read', watermark or '' }
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. after, '+', 'COUNT', ARGV[1])) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
