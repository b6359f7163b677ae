#!lua
-- Advances a region's feed watermark, and records the last entry of the region in each feed to which events were appended. The watermark never
-- goes back: a gateway that builds concurrently may be late. Idempotent.
--
-- KEYS[1] hash: '*' -> watermark, field of a feed -> last entry in it; entries of 10 bytes
-- ARGV[1] new watermark  ARGV[2..] field of a feed, last entry in it
-- Returns {'done'} | {'late'}: the watermark is there already, or beyond

local watermark = redis.call('HGET', KEYS[1], '*')
if watermark then
  local ms, number = struct.unpack('<I6I4', ARGV[1])
  local old_ms, old_number = struct.unpack('<I6I4', watermark)
  if ms < old_ms or (ms == old_ms and number <= old_number) then
    return { 'late' }
  end
end
redis.call('HSET', KEYS[1], '*', unpack(ARGV))
return { 'done' }
