#!lua
-- Appends references to events of one region to a participant's feed, each once, with the feed's next numbers. The head of the feed contains the
-- entry up to which the region's events were appended, so a concurrent or repeated run skips them. Idempotent.
--
-- KEYS[1] head of the feed, a hash: 'n' -> last number, 3 bytes of region -> entry up to which the region's events are in the feed
-- KEYS[2] times, a hash: chunk index from 0 -> u48 ms each of when its first and its last event were recorded
-- KEYS[3] chunk of the next number  KEYS[4] the chunk after it  KEYS[5] the chunk before it, or KEYS[3] if that is the first
-- ARGV[1] region, 3 bytes
-- ARGV[2] entry of the region's event before these that the caller believes to be in the feed, '': none
-- ARGV[3] index of the chunk KEYS[3]  ARGV[4] references in a full chunk
-- ARGV[5] events in the region's order, at most a full chunk: for each 10 bytes of entry, u48 ms when it was recorded
-- ARGV[6] references to return of those before the appended ones, at most a full chunk
-- Returns {'done', last number, number of appended events (the others were there), references before them: fewer at the beginning of the feed
--   or after an archived chunk} | {'moved', last number}: the next number is in another chunk
--   | {'behind', entry up to which the region's events are in the feed, '': none}: the feed lacks events before these

local region, previous, chunk, chunk_size, events = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local wanted = tonumber(ARGV[6])
local EVENT_BYTES = 16
local REFERENCE_BYTES = 13

local head = redis.call('HMGET', KEYS[1], 'n', region)
local count, position = tonumber(head[1] or '0'), head[2]

local function is_after(entry, other)
  local ms, number = struct.unpack('<I6I4', entry)
  local other_ms, other_number = struct.unpack('<I6I4', other)
  return ms > other_ms or (ms == other_ms and number > other_number)
end

if previous ~= '' and (not position or is_after(previous, position)) then
  return { 'behind', position or '' }
end
local at = 1
while position and at <= #events and not is_after(string.sub(events, at, at + 9), position) do
  at = at + EVENT_BYTES
end
if at > #events then
  return { 'done', count, 0, '' }
end
if math.floor(count / chunk_size) ~= chunk then
  return { 'moved', count }
end

local function last_references(key, number)
  return number > 0 and redis.call('GETRANGE', key, -number * REFERENCE_BYTES, -1) or ''
end

local here = math.min(wanted, count - chunk * chunk_size)
local before = last_references(KEYS[3], here)
if chunk > 0 then
  before = last_references(KEYS[5], wanted - here) .. before
end

local count_before = count
local room = (chunk + 1) * chunk_size - count
for index = 0, 1 do
  local references, first_ms, last_ms = {}, nil, nil
  while at <= #events and #references < room do
    position = string.sub(events, at, at + 9)
    local ms = struct.unpack('<I6', string.sub(events, at + 10, at + 15))
    first_ms, last_ms = math.min(first_ms or ms, ms), math.max(last_ms or ms, ms)
    references[#references + 1] = region .. position
    at = at + EVENT_BYTES
  end
  if #references > 0 then
    redis.call('APPEND', KEYS[3 + index], table.concat(references))
    if #references == room then
      -- Rewritten to free memory: Redis allocates twice the length for a string that grows.
      redis.call('SET', KEYS[3 + index], redis.call('GET', KEYS[3 + index]))
    end
    local times = redis.call('HGET', KEYS[2], chunk + index)
    if times then
      local earliest, latest = struct.unpack('<I6I6', times)
      first_ms, last_ms = math.min(first_ms, earliest), math.max(last_ms, latest)
    end
    redis.call('HSET', KEYS[2], chunk + index, struct.pack('<I6I6', first_ms, last_ms))
    count = count + #references
  end
  room = chunk_size
end
redis.call('HSET', KEYS[1], 'n', count, region, position)
-- A server may deny publishing to its users, which must not undo what was appended.
redis.pcall('SPUBLISH', KEYS[1], struct.pack('<I6', count))
return { 'done', count, count - count_before, before }
