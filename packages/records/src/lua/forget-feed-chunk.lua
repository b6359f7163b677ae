#!lua
-- Takes a chunk of a participant's feed away that has been read back from the archive. Safe to run twice.
--
-- KEYS[1] head of the log: 'a' → chunks below this number are in the archive  KEYS[2] times  KEYS[3] chunk
-- ARGV[1] index of the chunk  ARGV[2] what the archive has of it
-- Returns {'done'} | {'differs'}: the chunk is another, and nothing was done

local chunk = redis.call('GET', KEYS[3])
if chunk and chunk ~= ARGV[2] then
  return { 'differs' }
end
local archived = tonumber(redis.call('HGET', KEYS[1], 'a') or '0')
redis.call('HSET', KEYS[1], 'a', math.max(archived, tonumber(ARGV[1]) + 1))
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[2], ARGV[1])
return { 'done' }
