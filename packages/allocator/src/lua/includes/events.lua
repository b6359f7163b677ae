-- Appends an event to the region's stream, and its entry to the chain of the reservation it is about. Then tells those who listen: entry,
-- space, event. A server may forbid publishing to its users, and what was recorded must not be undone by that.
local function append_event(events_key, chain_key, event)
  local entry = redis.call('XADD', events_key, '*', 'event', event)
  if chain_key then
    redis.call('RPUSH', chain_key, entry)
  end
  redis.pcall('SPUBLISH', events_key, entry .. ' ' .. event)
end
