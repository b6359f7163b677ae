#!lua
-- Records until which entry administrative changes are archived, if nobody has meanwhile.
--
-- KEYS[1] the id of the last entry that is archived
-- ARGV[1] the id before  ARGV[2] the id now
-- Returns {'done'} | {'other'}: somebody has recorded another

if (redis.call('GET', KEYS[1]) or '0-0') ~= ARGV[1] then
  return { 'other' }
end
redis.call('SET', KEYS[1], ARGV[2])
return { 'done' }
