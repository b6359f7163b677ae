#!lua flags=allow-oom
-- Says which generation of the key for a site's PINs there is to an agent that may have the key, and notes that it knows it. Atomic. Idempotent. In a full store
-- too, since a key has one such note.
--
-- KEYS[1] watermark of the device  KEYS[2] its lease, see lua/take-epoch.lua; also  pin_key: the last generation that its key was told  KEYS[3] PINs
-- ARGV[1] fence, see is_fenced in includes/report-watermark.lua
-- Returns {'handed', generation} | {'fenced'}

--- @include report-watermark
--- @include pins

if is_fenced(KEYS[1], ARGV[1]) then
  return { 'fenced' }
end
local generation = pin_key(KEYS[3])
if redis.call('HGET', KEYS[2], 'pin_key') ~= tostring(generation) then
  redis.call('HSET', KEYS[2], 'pin_key', generation)
end
return { 'handed', generation }
