#!lua
-- Deletes the duties to tell of changes of a site that were fulfilled, and notes what was told of its shortage. What was added later stays. Idempotent.
--
-- KEYS[1] changes of sites  KEYS[2] shortages of sites  KEYS[3] when sites were told of
-- ARGV[1] site number  ARGV[2] the duties that were fulfilled  ARGV[3] the shortage as it was read, '': none
-- ARGV[4] the shortage with what was told of it, '': it is over and all know
-- ARGV[5] when the site was told of, in ms, '': there was nothing to tell  ARGV[6] the time up to which other sites are due again, in ms  ARGV[7] how long the times are kept, in ms
-- Returns {'done'}

local duties = redis.call('HGET', KEYS[1], ARGV[1])
if duties and string.sub(duties, 1, #ARGV[2]) == ARGV[2] then
  if #duties == #ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
  else
    redis.call('HSET', KEYS[1], ARGV[1], string.sub(duties, #ARGV[2] + 1))
  end
end
if redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[3] then
  if ARGV[4] == '' then
    redis.call('HDEL', KEYS[2], ARGV[1])
  else
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
  end
end
if ARGV[5] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[6])
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
return { 'done' }
