#!lua
-- Gives the free places of a site to those that wait for them. Whatever frees a place does so itself; this is for what was freed without it, as
-- by a gateway of an older version. Safe to run twice.
--
-- KEYS[1] who waits, see includes/queue.lua  KEYS[2] deadlines  KEYS[3] events  KEYS[4] tallies  KEYS[5] block
-- KEYS[6] compartments taken by name  KEYS[7] allowed  KEYS[8] version of what is allowed
-- ARGV[1] site number, 4 bytes  ARGV[2] what the keys of reservations begin with  ARGV[3] the gateway's time, in ms
-- Returns {'done'}

--- @include events
--- @include reservation-record
--- @include site-index
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include queue

promote(
  { waiting = KEYS[1], deadlines = KEYS[2], events = KEYS[3], reservations = ARGV[2], now = tonumber(ARGV[3]) },
  { number = ARGV[1], tallies = KEYS[4], block = KEYS[5], names = KEYS[6], allowed = KEYS[7], version = KEYS[8] }
)
publish_events(KEYS[3])
return { 'done' }
