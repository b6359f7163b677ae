#!lua
-- Removes the entry of a change that was refused, unless another call of the same request may have made it.
--
-- KEYS[1] entries  KEYS[2] entries of the maker, see includes/audit-entries.lua  KEYS[3] request, see begin-audit
-- Returns {'done'}

--- @include audit-entries

local attempt = redis.call('HGET', KEYS[3], 'attempt')
if attempt and redis.call('HINCRBY', KEYS[3], 'calls', -1) <= 0 then
  remove_audit_entry(KEYS[1], KEYS[2], attempt)
  redis.call('DEL', KEYS[3])
end
return { 'done' }
