#!lua
-- Records a change that was made, once for each request, in place of the entry that it is about to be made. Idempotent.
--
-- KEYS[3] request, see begin-audit
-- ARGV[2] how long the request is known, in ms  ARGV[7] '1', or '0': the call found nothing to change
-- The other KEYS and ARGV: see add_audit_entry in includes/audit-entries.lua
-- Returns {'done'} | {'seen'}: it was recorded | {'unchanged'}: nothing is recorded, since no other call of the request may have made the change

--- @include audit-entries

if redis.call('HEXISTS', KEYS[3], 'done') == 1 then
  return { 'seen' }
end
local attempt, calls = unpack(redis.call('HMGET', KEYS[3], 'attempt', 'calls'))
if attempt then
  remove_audit_entry(KEYS[1], KEYS[2], attempt)
end
local entry = ''
if ARGV[7] == '1' or tonumber(calls or 1) > 1 then
  entry = add_audit_entry('done')
end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'done', entry)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return { entry == '' and 'unchanged' or 'done' }
