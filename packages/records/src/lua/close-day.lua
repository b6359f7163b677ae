#!lua
-- Prevents events from being recorded in a region before a time, even if the server's clock goes back. Idempotent.
--
-- KEYS[1] events
-- ARGV[1] time in ms
-- Returns {'closed'} | {'none'}: no event was ever recorded

if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'none' }
end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for index = 1, #info, 2 do
  if info[index] == 'last-generated-id' then
    if tonumber(string.match(info[index + 1], '^%d+')) < tonumber(ARGV[1]) then
      redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
    end
    return { 'closed' }
  end
end
return redis.error_reply('PETAK no last-generated-id of ' .. KEYS[1])
