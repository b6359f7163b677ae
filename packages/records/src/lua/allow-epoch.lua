#!lua
-- Lets the holder of an earlier epoch go on, by the operator's word: its next boot gets the next one. Whoever has the last one is refused from now on. Atomic.
-- Idempotent for a request.
--
-- KEYS[1] lease of a key, see lua/take-epoch.lua; also  word: request by which somebody goes on
-- ARGV[1] epoch whose holder goes on, 0: who holds none  ARGV[2] request  ARGV[3] the gateway's time in ms
-- Returns {'allowed'} | {'unknown', last epoch}: no such epoch was given

local stored = redis.call('HMGET', KEYS[1], 'last', 'word', 'at')
local last, word, at = tonumber(stored[1] or '0'), stored[2], tonumber(stored[3] or '0')
if word == ARGV[2] then
  return { 'allowed' }
end
if last == 0 or tonumber(ARGV[1]) > last then
  return { 'unknown', last }
end
redis.call('HDEL', KEYS[1], 'named', 'by_word')
redis.call(
  'HSET', KEYS[1], 'last', last + 1, 'nonce', '', 'process', '', 'from', '', 'at', string.format('%.0f', math.max(at, tonumber(ARGV[3]))),
  'heir', ARGV[1], 'word', ARGV[2]
)
return { 'allowed' }
