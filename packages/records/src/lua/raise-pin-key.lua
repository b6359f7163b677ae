#!lua
-- Ends all PINs of a site and raises the generation of the key under which they are hashed, once for each cause. Atomic. Idempotent.
--
-- KEYS[1] PINs  KEYS[2] those whose PIN has ended and whose holders are to be told  KEYS[3] version of the agent's data
-- ARGV[1] cause
-- Returns {'raised', how many PINs have ended}

--- @include pins
--- @include allowed-changes

local generation, ended, cause = pin_key(KEYS[1])
if cause == ARGV[1] then
  return { 'raised', ended }
end
local fields = redis.call('HKEYS', KEYS[1])
ended = 0
for _, field in ipairs(fields) do
  if field ~= PIN_KEY_FIELD then
    redis.call('SADD', KEYS[2], field)
    ended = ended + 1
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], PIN_KEY_FIELD, string.format('%d %d %s', generation + 1, ended, ARGV[1]))
note_allowed_change(KEYS[3], redis.call('INCR', KEYS[3]), '*')
return { 'raised', ended }
