#!lua
-- Records that a fact has changed that the gateway finds by itself, unless somebody has meanwhile.
--
-- KEYS[3] facts: hash of values by name
-- ARGV[2] the fact's name  ARGV[7] its value before, '' for none  ARGV[8] its value now
-- The other KEYS and ARGV: see add_audit_entry in includes/audit-entries.lua
-- Returns {'done'} | {'other'}: it had another value before

--- @include audit-entries

if (redis.call('HGET', KEYS[3], ARGV[2]) or '') ~= ARGV[7] then
  return { 'other' }
end
add_audit_entry('done')
redis.call('HSET', KEYS[3], ARGV[2], ARGV[8])
return { 'done' }
