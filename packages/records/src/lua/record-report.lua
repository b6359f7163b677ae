#!lua
-- Records a device's report that is about no reservation of the region. Idempotent.
--
-- KEYS[1] watermark of the device  KEYS[2] events
-- ARGV[1] sequence number  ARGV[2] event  ARGV[3] hashes and fence, see judge_report in includes/report-watermark.lua
-- Returns {'done'} | tag and watermark of judge_report

--- @include events
--- @include report-watermark

local tag, watermark = judge_report(KEYS[1], redis.call('GET', KEYS[1]), tonumber(ARGV[1]), ARGV[3])
if tag then
  return { tag, watermark }
end
append_event(KEYS[2], ARGV[2])
publish_events(KEYS[2])
record_report(KEYS[1], watermark, ARGV[3])
return { 'done' }
