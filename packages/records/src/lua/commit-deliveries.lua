#!lua
-- Writes the results of deliveries to one subscriber if the writer still has the lease. Idempotent.
--
-- KEYS[1] lease  KEYS[2] state  KEYS[3] times at which retries are due  KEYS[4] retries  KEYS[5] replays
-- ARGV[1] token of the writer, then four lists, each after its length:
--   fields of the state: field, value; '' deletes the field
--   retries to delete: id
--   retries to add or replace: id, ms at which it is due, content
--   replays to update: id, content; '' deletes the replay. One that does not exist is not added
-- Returns {'done'} | {'lost'}: somebody else has the lease

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { 'lost' }
end

local at = 2
local function each(width, write)
  local count = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, count do
    write(ARGV[at], ARGV[at + 1], ARGV[at + 2])
    at = at + width
  end
end

each(2, function(field, value)
  if value == '' then
    redis.call('HDEL', KEYS[2], field)
  else
    redis.call('HSET', KEYS[2], field, value)
  end
end)
each(1, function(id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[4], id)
end)
each(3, function(id, due, content)
  redis.call('ZADD', KEYS[3], due, id)
  redis.call('HSET', KEYS[4], id, content)
end)
each(2, function(id, content)
  if content == '' then
    redis.call('HDEL', KEYS[5], id)
  elseif redis.call('HEXISTS', KEYS[5], id) == 1 then
    redis.call('HSET', KEYS[5], id, content)
  end
end)
return { 'done' }
