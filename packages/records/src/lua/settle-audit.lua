#!lua
-- Records a change that was made, once for each request, in place of the entry that it is about to be made. Idempotent.
--
-- KEYS[1] entries  KEYS[2] entries of the maker  KEYS[3] request, see begin-audit  KEYS[4] dropped  KEYS[5] archived; see includes/audit-entries.lua
-- ARGV[1] entry  ARGV[2] how long the request is known, in ms  ARGV[3] how long entries are stored, in ms  ARGV[4] most entries of the maker  ARGV[5] the maker
-- ARGV[6] '1', or '0': the call found nothing to change
-- ARGV[7] '1': only archived entries may be dropped, or '0'
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
if ARGV[6] == '1' or tonumber(calls or 1) > 1 then
  entry = add_audit_entry(KEYS[1], KEYS[2], 'done', ARGV[1], ARGV[3])
  drop_audit_entries(KEYS[1], KEYS[2], KEYS[4], ARGV[7] == '1' and KEYS[5], ARGV[5], entry, tonumber(ARGV[4]), tonumber(ARGV[3]))
end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'done', entry)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return { entry == '' and 'unchanged' or 'done' }
