-- Events of one region. A script appends the events that it records, and publishes all of them at its end.

-- The events to publish: for each 10 bytes of entry, u32 length, event.
local appended = {}
local last_time, last_number

-- Appends an event to the region's stream. Returns its packed entry of 10 bytes, as a reservation's chain contains it.
local function append_event(events_key, event)
  if last_time then
    -- No other client can append while the script runs.
    last_number = last_number + 1
    redis.call('XADD', events_key, last_time .. '-' .. last_number, 'event', event)
  else
    local entry = redis.call('XADD', events_key, '*', 'event', event)
    last_time, last_number = string.match(entry, '^(%d+)-(%d+)$')
    last_number = tonumber(last_number)
  end
  local entry = struct.pack('<I6I4', tonumber(last_time), last_number)
  appended[#appended + 1] = entry
  appended[#appended + 1] = struct.pack('<I4', #event)
  appended[#appended + 1] = event
  return entry
end

-- Publishes the appended events. A server may deny publishing to its users, which must not undo what was recorded.
local function publish_events(events_key)
  if #appended > 0 then
    redis.pcall('SPUBLISH', events_key, table.concat(appended))
  end
end
