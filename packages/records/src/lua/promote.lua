#!lua
-- Promotes queued reservations to the free places of a site. Every script that frees a place does so itself; this repairs what was freed
-- without it, e.g. by a gateway of an older version. Idempotent.
--
-- KEYS[1] queues, see includes/queue.lua  KEYS[2] deadlines  KEYS[3] events  KEYS[4] site counts  KEYS[5] block
-- KEYS[6] named compartments  KEYS[7] allowed reservations  KEYS[8] version of the agent's data
-- ARGV[1] site number, 4 bytes  ARGV[2] prefix of the reservations' keys  ARGV[3] the gateway's time, in ms
-- Returns {'done'}

--- @include events
--- @include reservation-record
--- @include site-index
--- @include holds
--- @include reports
--- @include named-compartments
--- @include fields
--- @include wire
--- @include allowed-changes
--- @include queue

promote(
  { waiting = KEYS[1], deadlines = KEYS[2], events = KEYS[3], reservations = ARGV[2], now = tonumber(ARGV[3]) },
  { number = ARGV[1], counts = KEYS[4], block = KEYS[5], compartments = KEYS[6], allowed = KEYS[7], version = KEYS[8] }
)
publish_events(KEYS[3])
return { 'done' }
