#!lua
-- Records a device's report that is about no reservation of the region. Idempotent.
--
-- KEYS[1] watermark of the device  KEYS[2] events
-- ARGV[1] sequence number  ARGV[2] event
-- Returns {'done'} | {'seen', watermark}: it was recorded before | {'gap', watermark}: earlier reports are missing

--- @include events

local sequence = tonumber(ARGV[1])
local watermark = tonumber(redis.call('GET', KEYS[1]) or '0')
if sequence <= watermark then
  return { 'seen', watermark }
elseif sequence > watermark + 1 then
  return { 'gap', watermark }
end
append_event(KEYS[2], ARGV[2])
publish_events(KEYS[2])
redis.call('SET', KEYS[1], sequence)
return { 'done' }
