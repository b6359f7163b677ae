#!lua
-- Stores the revocation of a credential for SERVICE, with its event, the version of the data that the site's agent synchronizes, and the response.
-- Atomic. Idempotent: a repeated run finds the response.
--
-- KEYS[1] response  KEYS[2] the site's revoked credentials  KEYS[3] events  KEYS[4] version of the agent's data
-- ARGV[1] fingerprint, 16 bytes  ARGV[2] how long the response is stored, in ms  ARGV[3] response
-- ARGV[4] hash of the credential  ARGV[5] the gateway's time, in ms  ARGV[6] how long the revocation is stored, in ms
-- ARGV[7] most revocations of the site  ARGV[8] event
-- Returns {'done'} | {'repeated', response} | {'reused'} | {'full'}

--- @include stored-responses
--- @include events
--- @include allowed-changes

local fingerprint, hash = ARGV[1], ARGV[4]
local now_ms, kept_ms = tonumber(ARGV[5]), tonumber(ARGV[6])

local repetition = find_repetition(KEYS[1], fingerprint)
if repetition then
  return repetition
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
  -- A difference has all revocations anyway.
  note_allowed_change(KEYS[4], redis.call('INCR', KEYS[4]), '')
end
store_response(KEYS[1], fingerprint, 'A', ARGV[3], ARGV[2])
return { 'done' }
