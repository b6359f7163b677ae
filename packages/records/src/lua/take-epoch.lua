#!lua
-- Gives the agent of a key its epoch: the last one again to the process that got it, the next one to whoever holds the last one, has asked for it, goes on
-- by the operator's word, or got a later one of which this store knows nothing. Everybody else gets none. Atomic. Idempotent for a process.
--
-- KEYS[1] lease of the key: hash
--   last: last epoch that was given  nonce: of the boot that got it  process: that booted  from: epoch that it held  at: when, in ms
--   named: the epoch of that nonce that its holder has named; absent: none yet. Only this one is in force then: the boot of a process that has ended may come late,
--     and get another number for the same nonce
--   heir: epoch whose holder goes on by the operator's word; absent: none  by_word: the last one was given by that, and was not named yet
--   ended: the key is revoked; absent: it is not
-- ARGV[1] epoch that the agent holds, 0: none  ARGV[2] nonce of that epoch  ARGV[3] nonce of this boot, '': it asks for no epoch
-- ARGV[4] nonce of the process  ARGV[5] the gateway's time in ms  ARGV[6] when the epoch that it holds was given, in ms, if it has proven that; else 0
-- Returns {'given', epoch, when it was given in ms, '1' if by the operator's word else ''} | {'none'}: no epoch was given to the key, and none is asked for | {'stale', last epoch}
--   | {'ended'}: the key is revoked

-- So many epochs may have been given that a store of an earlier time does not know.
local FORGOTTEN = 1000

local held, held_nonce, nonce, process, now, proven = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local last, last_nonce, last_process, from, at, named, heir, by_word, ended =
  unpack(redis.call('HMGET', KEYS[1], 'last', 'nonce', 'process', 'from', 'at', 'named', 'heir', 'by_word', 'ended'))
last, at = tonumber(last or '0'), tonumber(at or '0')

if ended then
  return { 'ended' }
end
if nonce == '' then
  if last > 0 and heir ~= '0' then
    return { 'stale', last }
  end
  redis.call('HDEL', KEYS[1], 'last', 'nonce', 'process', 'from', 'at', 'named', 'heir', 'by_word')
  return { 'none' }
end
if last > 0 and nonce == last_nonce and process == last_process then
  return { 'given', last, at, by_word or '' }
end
local is_holder = held_nonce ~= '' and held_nonce == last_nonce and (held == named or (not named and tonumber(held) <= last))
-- Another process with the same disk: the answer to its boot was lost. Once the epoch was named, the answer has come.
local has_asked = nonce == last_nonce and held == from and not named
local is_heir = held == heir
local is_later = proven > at and not heir
if last > 0 and not (is_holder or has_asked or is_heir or is_later) then
  return { 'stale', last }
end
-- A store that has lost the lease must not give an epoch again.
last, at = math.max(last, tonumber(held)) + (is_later and FORGOTTEN or 1), math.max(at, now)
local is_by_word = is_heir or (has_asked and by_word)
redis.call('HDEL', KEYS[1], 'heir', 'named', 'by_word')
redis.call('HSET', KEYS[1], 'last', last, 'nonce', nonce, 'process', process, 'from', held, 'at', string.format('%.0f', at))
if is_by_word then
  redis.call('HSET', KEYS[1], 'by_word', '1')
end
return { 'given', last, at, is_by_word and '1' or '' }
