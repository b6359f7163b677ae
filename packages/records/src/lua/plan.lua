#!lua
-- Fixes the order in which a reservation tries several regions, before it tries the first. A repetition gets the plan that was fixed.
--
-- KEYS[1] plan  KEYS[2] reservation that the request would have made here without a plan
-- ARGV[1] fingerprint, 16 bytes  ARGV[2] plan; empty: only look  ARGV[3] ms for which it is remembered
-- Returns {'fixed', plan}: it was fixed just now | {'planned', plan} | {'repeated', record} | {'reused'} | {'none'}

--- @include answers

local known = remembered(KEYS[1], ARGV[1])
if known then
  return known
end
local stored = redis.call('GET', KEYS[2])
if stored then
  return { 'repeated', stored }
end
if ARGV[2] == '' then
  return { 'none' }
end
remember(KEYS[1], ARGV[1], 'P', ARGV[2], ARGV[3])
return { 'fixed', ARGV[2] }
