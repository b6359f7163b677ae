#!lua
-- Records that an administrative change is about to be made, unless its request is known.
--
-- KEYS[3] request: hash with `attempt`, the entry of a change that has not ended, and `calls`, how many calls may have made it; or with `done`, the entry of
--   the change, or '' if it changed nothing
-- ARGV[2] how long the request is known, in ms
-- The other KEYS and ARGV: see add_audit_entry in includes/audit-entries.lua
-- Returns {'begun'} | {'done'}: the change was made and recorded

--- @include audit-entries

if redis.call('HEXISTS', KEYS[3], 'done') == 1 then
  return { 'done' }
end
if redis.call('HEXISTS', KEYS[3], 'attempt') == 0 then
  redis.call('HSET', KEYS[3], 'attempt', add_audit_entry('attempt'))
end
redis.call('HINCRBY', KEYS[3], 'calls', 1)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return { 'begun' }
