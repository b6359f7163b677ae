#!lua
-- Puts the epoch that an agent names in force, of those that were given for its nonce. Atomic. Idempotent.
--
-- KEYS[1] lease of a key, see lua/take-epoch.lua
-- ARGV[1] epoch  ARGV[2] its nonce
-- Returns {'named'} | {'stale'}: another one is in force

local last, nonce, named = unpack(redis.call('HMGET', KEYS[1], 'last', 'nonce', 'named'))
if nonce ~= ARGV[2] or (named or ARGV[1]) ~= ARGV[1] or tonumber(ARGV[1]) > tonumber(last) then
  return { 'stale' }
end
redis.call('HSET', KEYS[1], 'named', ARGV[1])
redis.call('HDEL', KEYS[1], 'by_word')
return { 'named' }
