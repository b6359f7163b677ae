#!lua
-- Removes the entry of a change that was refused, unless another call of the same request may have made it.
--
-- KEYS[1] entries  KEYS[2] request, see begin-audit
-- Returns {'done'}

local attempt = redis.call('HGET', KEYS[2], 'attempt')
if attempt and redis.call('HINCRBY', KEYS[2], 'calls', -1) <= 0 then
  redis.call('XDEL', KEYS[1], attempt)
  redis.call('DEL', KEYS[2])
end
return { 'done' }
