#!lua
-- Adds members to a set that has a greatest size: all of them or none. Idempotent.
--
-- KEYS[1] set
-- ARGV[1] greatest number of members  ARGV[2..] members, each once
-- Returns {'claimed'}: they are members | {'full', number of members}

local added = {}
for index = 2, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[index]) == 0 then
    added[#added + 1] = ARGV[index]
  end
end
if #added == 0 then
  return { 'claimed' }
end
local used = redis.call('SCARD', KEYS[1])
if used + #added > tonumber(ARGV[1]) then
  return { 'full', used }
end
redis.call('SADD', KEYS[1], unpack(added))
return { 'claimed' }
