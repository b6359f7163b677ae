#!lua
-- Writes down that a credential for work at a site opens nothing any more, with its event, what the site's agent may know, and the remembered answer. All
-- or nothing. Safe to run twice: the second run finds the answer of the first.
--
-- KEYS[1] answer  KEYS[2] the site's revoked credentials  KEYS[3] events  KEYS[4] version of what is allowed
-- ARGV[1] fingerprint of 16 bytes  ARGV[2] ms for which the answer is remembered  ARGV[3] answer
-- ARGV[4] hash of the credential  ARGV[5] the gateway's clock in ms  ARGV[6] ms from then on for which it is kept  ARGV[7] how many may be kept  ARGV[8] event
-- Returns {'done'} | {'repeated', answer} | {'reused'} | {'full'}

--- @include answers
--- @include events

local fingerprint, hash = ARGV[1], ARGV[4]
local now_ms, kept_ms = tonumber(ARGV[5]), tonumber(ARGV[6])

local known = remembered(KEYS[1], fingerprint)
if known then
  return known
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now_ms)
if not redis.call('ZSCORE', KEYS[2], hash) then
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then
    return { 'full' }
  end
  redis.call('ZADD', KEYS[2], now_ms + kept_ms, hash)
  redis.call('PEXPIRE', KEYS[2], kept_ms)
  append_event(KEYS[3], ARGV[8])
  publish_events(KEYS[3])
  redis.call('INCR', KEYS[4])
end
remember(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
return { 'done' }
