#!lua
-- Reads the events of a region that are not said to be in the participants' feeds. Changes nothing.
--
-- KEYS[1] what is in the feeds, see lua/advance-feed-watermark.lua  KEYS[2] events
-- ARGV[1] events at most  ARGV[2] entry `<ms>-<number>` after which to read instead, empty: after what is in the feeds
-- Returns {'read', 10 bytes of the entry up to which all is in the feeds, empty: nothing is, then for each event: its entry, its bytes}

local logged = redis.call('HGET', KEYS[1], '*')
local after = ARGV[2]
if after == '' then
  after = '0-0'
  if logged then
    local ms, number = struct.unpack('<I6I4', logged)
    after = string.format('%.0f-%.0f', ms, number)
  end
end
local reply = { 'read', logged or '' }
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. after, '+', 'COUNT', ARGV[1])) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
