#!lua
-- Compares a device's last report with what is recorded under its number, and keeps it apart if another is. Idempotent.
--
-- KEYS[1] watermark of the device
-- ARGV[1] sequence number  ARGV[2] the report's hash  ARGV[3] fence, see is_fenced in includes/report-watermark.lua
-- Returns {'same'}: or nothing is known under the number | {'fenced', the last recorded number} | tag and watermark of keep_apart in includes/report-watermark.lua

--- @include report-watermark

local sequence = tonumber(ARGV[1])
local watermark = read_watermark(redis.call('GET', KEYS[1]))
if is_fenced(KEYS[1], ARGV[3]) then
  return { 'fenced', watermark.number }
end
local oldest = watermark.number - #watermark.known / SHORT_HASH_BYTES + 1
if sequence < oldest or sequence > watermark.number or not is_other(watermark, sequence, ARGV[2]) then
  return { 'same' }
end
return { keep_apart(KEYS[1], watermark, ARGV[2]), watermark.number }
