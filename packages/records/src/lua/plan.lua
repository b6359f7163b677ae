#!lua
-- Stores a plan: the order in which a request tries several regions, before it tries the first. A repeated request gets the stored plan.
-- Idempotent.
--
-- KEYS[1] plan  KEYS[2] reservation that the request would have made in this region without a plan
-- ARGV[1] fingerprint, 16 bytes  ARGV[2] plan, '': only look for one  ARGV[3] how long it is stored, in ms
-- Returns {'fixed', plan}: it was stored by this run | {'planned', plan} | {'repeated', record} | {'reused'} | {'none'}

--- @include stored-responses

local repetition = find_repetition(KEYS[1], ARGV[1])
if repetition then
  return repetition
end
local stored = redis.call('GET', KEYS[2])
if stored then
  return { 'repeated', stored }
end
if ARGV[2] == '' then
  return { 'none' }
end
store_response(KEYS[1], ARGV[1], 'P', ARGV[2], ARGV[3])
return { 'fixed', ARGV[2] }
