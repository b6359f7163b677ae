-- The watermark of a device: the number of its last recorded report in decimal. Once a release that knows hashes has recorded a report, follow a space,
-- a byte of flags (1: the last report was chained, 2: the reports have forked, 4: those before the known ones were recorded without hashes), 32 bytes of that report's hash, a byte with the number of short hashes, short hashes of the last reports, oldest first, and short
-- hashes of the reports that were kept apart.

local SHORT_HASH_BYTES = 8
-- More than a batch, so that a batch whose answer was lost is recognised.
local KNOWN_REPORTS_MAX = 128
local KEPT_REPORTS_MAX = 100
local CHAINED, FORKED, UNHASHED = 1, 2, 4

local function read_watermark(value)
  local number, chain = string.match(value or '0', '^(%d+) ?(.*)$')
  local watermark = { number = tonumber(number), chained = false, forked = false, head = '', known = '', kept = '' }
  watermark.unhashed = watermark.number > 0
  if chain ~= '' then
    local flags, head, count = struct.unpack('<Bc32B', chain)
    local known_end = 34 + count * SHORT_HASH_BYTES
    watermark.chained, watermark.forked = flags % FORKED >= CHAINED, flags % UNHASHED >= FORKED
    watermark.unhashed = flags >= UNHASHED
    watermark.head, watermark.known, watermark.kept = head, string.sub(chain, 35, known_end), string.sub(chain, known_end + 1)
  end
  return watermark
end

local function write_watermark(key, watermark)
  local value = string.format('%.0f', watermark.number)
  if watermark.head ~= '' then
    local flags = (watermark.chained and CHAINED or 0) + (watermark.forked and FORKED or 0) + (watermark.unhashed and UNHASHED or 0)
    local count = #watermark.known / SHORT_HASH_BYTES
    value = value .. ' ' .. struct.pack('<Bc32B', flags, watermark.head, count) .. watermark.known .. watermark.kept
  end
  -- That of a revoked key still ends.
  redis.call('SET', key, value, 'KEEPTTL')
end

-- Whether another report than this is recorded under its number, or may have been: a device never sends again what is older than a full batch.
local function is_other(watermark, sequence, hash)
  local count = #watermark.known / SHORT_HASH_BYTES
  local place = sequence - (watermark.number - count)
  if place < 1 then
    return not watermark.unhashed or count == KNOWN_REPORTS_MAX
  end
  return string.sub(watermark.known, (place - 1) * SHORT_HASH_BYTES + 1, place * SHORT_HASH_BYTES) ~= string.sub(hash, 1, SHORT_HASH_BYTES)
end

local function is_kept(watermark, short_hash)
  for at = 1, #watermark.kept, SHORT_HASH_BYTES do
    if string.sub(watermark.kept, at, at + SHORT_HASH_BYTES - 1) == short_hash then
      return true
    end
  end
  return false
end

-- Keeps a report apart. Returns a tag: 'fork', or 'fork_full' if there are too many to keep this one.
local function keep_apart(key, watermark, hash)
  local short_hash = string.sub(hash, 1, SHORT_HASH_BYTES)
  if is_kept(watermark, short_hash) then
    return 'fork'
  end
  local is_full = #watermark.kept >= KEPT_REPORTS_MAX * SHORT_HASH_BYTES
  if not is_full then
    watermark.kept = watermark.kept .. short_hash
  end
  if not (is_full and watermark.forked) then
    watermark.forked = true
    write_watermark(key, watermark)
  end
  return is_full and 'fork_full' or 'fork'
end

-- Whether another agent has taken the place of the one whose call this is since the gateway allowed the call: by another epoch of its key, or in charge of the site;
-- or whether its key has ended. `fence` is what the gateway saw: u8 length and nonce of the epoch that the agent named, u8 length and id of the key in charge of the site.
local function is_fenced(key, fence)
  local nonce, in_charge = struct.unpack('Bc0Bc0', fence)
  local site, key_id = string.match(key, '^(.*):watermark:([^:]*)$')
  local last, last_nonce, ended = unpack(redis.call('HMGET', site .. ':lease:' .. key_id, 'last', 'nonce', 'ended'))
  if ended or ((last or '0') ~= '0' and nonce ~= last_nonce) then
    return true
  end
  return (redis.call('GET', site .. ':agent') or '') ~= in_charge
end

-- The parts of `link`: the report's hash, the hash that it names of the one before it, '' if it is not chained, and the fence, see is_fenced.
local function parts_of(link)
  local hash, previous, at = struct.unpack('c32Bc0', link)
  return hash, previous, string.sub(link, at)
end

-- Judges a report of a device. `link`: see parts_of.
-- Returns nil and the watermark if the report is the next one, else a tag and the last recorded number:
--   'seen': it was recorded before | 'gap': earlier reports are missing | 'unchained': earlier reports were chained
--   | 'fenced': see is_fenced
--   | 'fork', 'fork_full': another report is recorded, or was before; see keep_apart
local function judge_report(key, value, sequence, link)
  local watermark = read_watermark(value)
  local hash, previous, fence = parts_of(link)
  if is_fenced(key, fence) then
    return 'fenced', watermark.number
  end
  local is_recorded = sequence <= watermark.number
  if is_recorded and not is_other(watermark, sequence, hash) then
    return 'seen', watermark.number
  elseif not is_recorded and not watermark.forked and sequence > watermark.number + 1 then
    return 'gap', watermark.number
  elseif not is_recorded and not watermark.forked and previous == '' and watermark.chained then
    return 'unchained', watermark.number
  end
  local is_next = not is_recorded and not watermark.forked
  if is_next and (previous == '' or watermark.head == '' or previous == watermark.head) then
    return nil, watermark
  end
  return keep_apart(key, watermark, hash), watermark.number
end

-- Records a report that was judged to be the next one.
local function record_report(key, watermark, link)
  local hash, previous = parts_of(link)
  watermark.number = watermark.number + 1
  watermark.head = hash
  watermark.known = string.sub(watermark.known .. string.sub(hash, 1, SHORT_HASH_BYTES), -KNOWN_REPORTS_MAX * SHORT_HASH_BYTES)
  watermark.chained = watermark.chained or previous ~= ''
  write_watermark(key, watermark)
end
