#!lua
-- Records that an administrative change is about to be made, unless its request is known.
--
-- KEYS[1] entries  KEYS[2] request: hash with `attempt`, the entry of a change that has not ended, and `calls`, how many calls may have made it; or with
--   `done`, the entry of the change, or '' if it changed nothing
-- ARGV[1] entry  ARGV[2] how long the request is known, in ms
-- Returns {'begun'} | {'done'}: the change was made and recorded

if redis.call('HEXISTS', KEYS[2], 'done') == 1 then
  return { 'done' }
end
if redis.call('HEXISTS', KEYS[2], 'attempt') == 0 then
  redis.call('HSET', KEYS[2], 'attempt', redis.call('XADD', KEYS[1], '*', 'attempt', ARGV[1]))
end
redis.call('HINCRBY', KEYS[2], 'calls', 1)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return { 'begun' }
