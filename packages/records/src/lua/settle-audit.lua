#!lua
-- Records a change that was made, once for each request, in place of the entry that it is about to be made. Idempotent.
--
-- KEYS[1] entries  KEYS[2] request, see begin-audit
-- ARGV[1] entry  ARGV[2] how long the request is known, in ms  ARGV[3] most entries  ARGV[4] how long entries are stored, in ms
-- ARGV[5] '1', or '0': the call found nothing to change
-- Returns {'done'} | {'seen'}: it was recorded | {'unchanged'}: nothing is recorded, since no other call of the request may have made the change

if redis.call('HEXISTS', KEYS[2], 'done') == 1 then
  return { 'seen' }
end
local attempt, calls = unpack(redis.call('HMGET', KEYS[2], 'attempt', 'calls'))
if attempt then
  redis.call('XDEL', KEYS[1], attempt)
end
if ARGV[5] == '0' and tonumber(calls or 1) <= 1 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'done', '')
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return { 'unchanged' }
end
local entry = redis.call('XADD', KEYS[1], '*', 'done', ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'done', entry)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[3])
local oldest = tonumber(string.match(entry, '^%d+')) - tonumber(ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', math.max(oldest, 0)))
return { 'done' }
