#!lua
-- Replaces the count of a site's refusals unless it has changed since it was read, with the events that tell an earlier count, and with the watermark of a report
-- that is only counted. Atomic. A repeated run finds the count changed.
--
-- KEYS[1] count of refusals  KEYS[2] watermark of the device  KEYS[3] events
-- ARGV[1] count as it was read; empty: there was none  ARGV[2] new count; empty: none  ARGV[3] how long it is kept, in ms
-- ARGV[4] sequence number of the report; empty: there is none  ARGV[5] '1': the report is only counted, and the watermark becomes its number
-- ARGV[6] hashes and fence of the report, see judge_report in includes/report-watermark.lua  ARGV[7..] events
-- Returns {'done'} | {'stale'} | tag and watermark of judge_report

--- @include events
--- @include report-watermark

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return { 'stale' }
end
if ARGV[4] ~= '' then
  local tag, watermark = judge_report(KEYS[2], redis.call('GET', KEYS[2]), tonumber(ARGV[4]), ARGV[6])
  if tag then
    return { tag, watermark }
  end
  if ARGV[5] == '1' then
    record_report(KEYS[2], watermark, ARGV[6])
  end
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
for index = 7, #ARGV do
  append_event(KEYS[3], ARGV[index])
end
if #ARGV > 6 then
  publish_events(KEYS[3])
end
return { 'done' }
