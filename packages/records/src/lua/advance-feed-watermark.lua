#!lua
-- Says up to which of a region's events all are in the participants' feeds, and which is the last in each of the feeds that had one of the last
-- events. Never goes back: of several who build, one may come late. Safe to run twice.
--
-- KEYS[1] what is in the feeds: '*' → 10 bytes of an entry, name of a feed → 10 bytes of the last entry in it
-- ARGV[1] 10 bytes of the entry  ARGV[2..] name of a feed, 10 bytes of the last entry in it
-- Returns {'done'} | {'late'}: it was said already, of this entry or a later one

local logged = redis.call('HGET', KEYS[1], '*')
if logged then
  local ms, number = struct.unpack('<I6I4', ARGV[1])
  local logged_ms, logged_number = struct.unpack('<I6I4', logged)
  if ms < logged_ms or (ms == logged_ms and number <= logged_number) then
    return { 'late' }
  end
end
redis.call('HSET', KEYS[1], '*', unpack(ARGV))
return { 'done' }
