#!lua
-- Adds a site to those that are listed, unless it is among them. Atomic. Idempotent.
--
-- KEYS[1] sites in the order of their changes
-- ARGV[1] site number  ARGV[2] when it changed, in ms
-- Returns {'done'}

--- @include listed-sites

if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  list_change(KEYS[1], ARGV[1], tonumber(ARGV[2]))
end
return { 'done' }
