#!lua
-- Sees to it that no event can be recorded in a region before a time any more, whatever the server's clock does. Safe to run twice.
--
-- KEYS[1] events
-- ARGV[1] time in ms
-- Returns {'closed'} | {'none'}: nothing was ever recorded

if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'none' }
end
local facts = redis.call('XINFO', 'STREAM', KEYS[1])
for index = 1, #facts, 2 do
  if facts[index] == 'last-generated-id' then
    if tonumber(string.match(facts[index + 1], '^%d+')) < tonumber(ARGV[1]) then
      redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
    end
    return { 'closed' }
  end
end
return redis.error_reply('PETAK no last id of ' .. KEYS[1])
