#!lua
-- Advances the watermark of a device over reports that its store of an earlier time lacks and that the device has deleted. Idempotent.
--
-- KEYS[1] watermark of the device
-- ARGV[1] the last recorded number, as it was read  ARGV[2] the number of the last report that the device has deleted
-- ARGV[3] the hash of that report  ARGV[4] fence, see is_fenced in includes/report-watermark.lua
-- Returns {'done'} | {'stale'}: another number is recorded, the reports have forked, or another agent has taken its place

--- @include report-watermark

local watermark = read_watermark(redis.call('GET', KEYS[1]))
if watermark.number ~= tonumber(ARGV[1]) or watermark.forked or is_fenced(KEYS[1], ARGV[4]) then
  return { 'stale' }
end
watermark.number, watermark.head, watermark.known = tonumber(ARGV[2]), ARGV[3], ''
watermark.chained, watermark.unhashed = true, false
write_watermark(KEYS[1], watermark)
return { 'done' }
