#!lua
-- Deletes a chunk of a participant's feed after it was read back from the archive. Idempotent.
--
-- KEYS[1] head of the feed: 'a' -> number of archived chunks  KEYS[2] times  KEYS[3] chunk
-- ARGV[1] index of the chunk  ARGV[2] its archived content
-- Returns {'done'} | {'differs'}: the stored chunk has another content, and nothing was deleted

local chunk = redis.call('GET', KEYS[3])
if chunk and chunk ~= ARGV[2] then
  return { 'differs' }
end
local archived = tonumber(redis.call('HGET', KEYS[1], 'a') or '0')
redis.call('HSET', KEYS[1], 'a', math.max(archived, tonumber(ARGV[1]) + 1))
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[2], ARGV[1])
return { 'done' }
