#!lua
-- Adds a key to the list of a participant's keys of one kind, see participants/key-list.ts. Revoked keys do not count, but there are at most as many
-- of them as the limit says: those that were revoked first leave, once no request that made one can be repeated. Idempotent.
--
-- KEYS[1] sorted set: key id → time in ms at which it was made; once revoked, minus the time of its revocation
-- ARGV[1] key id  ARGV[2] the time at which it is made, in ms  ARGV[3] greatest number of keys that are not revoked
-- ARGV[4] how long revoked keys are listed, in ms; '': for good  ARGV[5] how long a request may be repeated, in ms
-- Returns {'claimed', id of each revoked key that left early...} | {'full', number of keys that are in the way}

if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return { 'claimed' }
end
local now, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[4] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%.0f', ARGV[4] - now), '(0')
end
local used = redis.call('ZCOUNT', KEYS[1], 0, '+inf')
if used >= limit then
  return { 'full', used }
end
local revoked = redis.call('ZCARD', KEYS[1]) - used
local left = {}
if revoked >= limit and ARGV[4] ~= '' then
  -- The first that was revoked has the highest of the negative scores.
  left = redis.call('ZRANGE', KEYS[1], '(0', string.format('%.0f', ARGV[5] - now), 'BYSCORE', 'REV', 'LIMIT', 0, revoked - limit + 1)
end
if revoked - #left >= limit then
  return { 'full', used + revoked }
end
for _, id in ipairs(left) do
  redis.call('ZREM', KEYS[1], id)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return { 'claimed', unpack(left) }
