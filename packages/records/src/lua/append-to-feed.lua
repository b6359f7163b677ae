#!lua
-- Appends references to events of one region to a participant's feed, each once, with the next numbers of the feed. What was appended up to is kept
-- in the feed's own head, so that whoever comes second, or begins anew after a crash, finds what is there already. Safe to run twice.
--
-- KEYS[1] head of the log: 'n' → its last number, 3 bytes of region → entry up to which the region's events are in the feed
-- KEYS[2] times: index of a chunk from 0 → u48 first and u48 last ms at which its events were recorded
-- KEYS[3] chunk in which the next number lies  KEYS[4] the chunk after it  KEYS[5] the chunk before it; of the first, itself
-- ARGV[1] region, 3 bytes
-- ARGV[2] entry of the last event before these that the region's record says is in the feed, empty: none
-- ARGV[3] index of the chunk KEYS[3]  ARGV[4] references that a chunk holds
-- ARGV[5] events in the region's order, no more than a chunk holds: 10 bytes of entry, u48 ms at which it was recorded
-- ARGV[6] references that are wanted of those before what is appended, no more than a chunk holds
-- Returns {'done', last number, how many of the events were appended: the others were there, references before these as they are in the chunks, and fewer
--   where the feed begins, or a chunk has left for the archive} | {'moved', last number}: the next number lies in another chunk
--   | {'behind', entry up to which the region's events are in the feed, empty: none}: what came before these is not all there

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
      -- Written once more it takes no more memory than it has bytes: a string that grows is given twice as many.
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
-- A server may forbid publishing to its users, and what was appended must not be undone by that.
redis.pcall('SPUBLISH', KEYS[1], struct.pack('<I6', count))
return { 'done', count, count - count_before, before }
