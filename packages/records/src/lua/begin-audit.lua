#!lua
-- Records that an administrative change is about to be made, unless its request is known.
--
-- KEYS[1] entries  KEYS[2] entries of the maker, see includes/audit-entries.lua
-- KEYS[3] request: hash with `attempt`, the entry of a change that has not ended, and `calls`, how many calls may have made it; or with `done`, the entry of
--   the change, or '' if it changed nothing
-- ARGV[1] entry  ARGV[2] how long the request is known, in ms  ARGV[3] how long entries are stored, in ms
-- Returns {'begun'} | {'done'}: the change was made and recorded

--- @include audit-entries

if redis.call('HEXISTS', KEYS[3], 'done') == 1 then
  return { 'done' }
end
if redis.call('HEXISTS', KEYS[3], 'attempt') == 0 then
  redis.call('HSET', KEYS[3], 'attempt', add_audit_entry(KEYS[1], KEYS[2], 'attempt', ARGV[1], ARGV[3]))
end
redis.call('HINCRBY', KEYS[3], 'calls', 1)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return { 'begun' }
