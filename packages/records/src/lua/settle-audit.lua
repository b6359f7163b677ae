#!lua
-- Records a change that was made, once for each request, in place of the entry that it is about to be made. Idempotent.
--
-- KEYS[1] entries  KEYS[2] request, see begin-audit
-- ARGV[1] entry  ARGV[2] how long the request is known, in ms  ARGV[3] most entries  ARGV[4] how long entries are stored, in ms
-- Returns {'done'} | {'seen'}: it was recorded

if redis.call('HEXISTS', KEYS[2], 'done') == 1 then
  return { 'seen' }
end
local attempt = redis.call('HGET', KEYS[2], 'attempt')
if attempt then
  redis.call('XDEL', KEYS[1], attempt)
end
local entry = redis.call('XADD', KEYS[1], '*', 'done', ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'done', entry)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[3])
local oldest = tonumber(string.match(entry, '^%d+')) - tonumber(ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', math.max(oldest, 0)))
return { 'done' }
