-- Appends an event to the region's stream and gives its entry as 10 bytes, as a reservation's chain has it. Then tells those who listen:
-- entry, space, event. A server may forbid publishing to its users, and what was recorded must not be undone by that.
local function append_event(events_key, event)
  local entry = redis.call('XADD', events_key, '*', 'event', event)
  redis.pcall('SPUBLISH', events_key, entry .. ' ' .. event)
  local time, number = string.match(entry, '^(%d+)-(%d+)$')
  return struct.pack('<I6I4', tonumber(time), tonumber(number))
end
