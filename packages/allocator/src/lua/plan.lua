#!lua
-- Fixes the order in which a reservation tries several regions, before it tries the first. A repetition gets the plan that was fixed.
--
-- KEYS[1] plan  KEYS[2] answer
-- ARGV[1] fingerprint, 16 bytes  ARGV[2] plan; empty: only look  ARGV[3] ms for which it is remembered
-- Returns {'fixed', plan}: it was fixed just now | {'planned', plan} | {'repeated', reservation} | {'reused'} | {'none'}

--- @include answers

local known = remembered(KEYS[1], ARGV[1])
if known then
  return known
end
known = remembered(KEYS[2], ARGV[1])
-- That an earlier plan found nothing in this region says nothing of a new one.
if known and known[1] ~= 'none' then
  return known
end
if ARGV[2] == '' then
  return { 'none' }
end
remember(KEYS[1], ARGV[1], 'P', ARGV[2], ARGV[3])
return { 'fixed', ARGV[2] }
