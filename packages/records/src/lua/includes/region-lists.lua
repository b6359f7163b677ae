-- The lists of a region to which its index records refer by number: size profiles and opening times. See decision 54.
--
-- A list is a sorted set: entry → sequence number, which only grows. A record has the sequence number modulo NUMBERS. Its uses are a hash:
--   '<number>' → '<records that name the entry> <its sequence number>'
--   '<owner>' → how many entries the records of an owner name, '<owner>:<number>' → how many of its records name the entry
--   'q:<number>' → '1': the entry was deleted, and its number is passed over once
--   'last' → the last sequence number, 'lap' → when the quarter of the numbers that it is in was entered, in ms
-- An owner is an operator in one network. An entry that no record names any more is deleted.
--
-- Readers keep entries for a while, and blocks for a moment. So a number is given to another entry only after all other numbers, and no quarter of them
-- is passed in less than LAP_MS: at least three times LAP_MS after it was given away before. An old entry may be deleted just before its number comes:
-- numbers within the next two quarters are passed over once, and others are at least LAP_MS away.

local NUMBERS = 16777216
local LAP = 4194304
local LAP_MS = 900000
local ENTRIES_MAX = 65536
-- Sites of the test network add no entry to a list that has so many, so that they leave room for those of the live one.
local TEST_ENTRIES_MAX = 32768
local OPERATOR_OFFSET = 20
local TEST_FLAG = 4

-- Whether the record at an offset of a block is that of a site of the test network.
local function is_test_record(block, offset)
  return math.floor(string.byte(block, offset + 17) / TEST_FLAG) % 2 == 1
end

-- The owner of the entries that a record names.
local function owner_of(record)
  local network = is_test_record(record, 0) and 't' or 'l'
  return string.format('%d%s', struct.unpack('<I2', record, OPERATOR_OFFSET + 1), network)
end

-- The numbers of the size profile and of the opening times that a record names.
local function numbers_of(record)
  local profile, hours = struct.unpack('<I2', record, 23), struct.unpack('<I2', record, 27)
  return profile + string.byte(record, 35) * 65536, hours + string.byte(record, 36) * 65536
end

-- How many records name an entry, and its sequence number. Nil if none does.
local function uses_of(list, number)
  local refs, sequence = string.match(redis.call('HGET', list.uses, number) or '', '^(%d+) (%d+)$')
  return tonumber(refs), tonumber(sequence)
end

-- The sequence number of a new entry, the fields of the numbers that are passed over, and, if it enters another quarter of the numbers, the time. Nil if
-- that would be too soon.
local function next_sequence(list)
  local last = tonumber(redis.call('HGET', list.uses, 'last') or 0)
  local sequence, passed = last + 1, {}
  while true do
    local number = sequence % NUMBERS
    if redis.call('HEXISTS', list.uses, 'q:' .. number) == 1 then
      passed[#passed + 1] = 'q:' .. number
    elseif number ~= 0 and redis.call('HEXISTS', list.uses, number) == 0 then
      -- Opening times have no number 0. The loop ends, because few numbers are in use or passed over.
      break
    end
    sequence = sequence + 1
  end
  if math.floor(sequence / LAP) == math.floor(last / LAP) then
    return sequence, passed
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local lap = tonumber(redis.call('HGET', list.uses, 'lap'))
  if lap and now - lap < LAP_MS then
    return nil
  end
  return sequence, passed, now
end

-- What it takes that a record names `entry` instead of the entry `old`, either nil for none; changes nothing. Returns a plan, or nil and how many
-- entries the owner's records name if that is its limit, or nil if the list is full for it.
local function plan_entry(list, owner, old, entry)
  local plan = { list = list, owner = owner, old = old, entry = entry }
  local found = entry and redis.call('ZSCORE', list.key, entry)
  plan.number = found and tonumber(found) % NUMBERS or nil
  if plan.number == old and (old or not entry) then
    plan.keeps = true
    return plan
  end
  if not entry then
    return plan
  end
  local leaves = old and redis.call('HGET', list.uses, owner .. ':' .. old) == '1'
  local comes = not plan.number or redis.call('HEXISTS', list.uses, owner .. ':' .. plan.number) == 0
  local used = tonumber(redis.call('HGET', list.uses, owner) or 0)
  if comes and not leaves and used >= list.owner_max then
    return nil, used
  end
  if not plan.number then
    local is_last = old and (uses_of(list, old)) == 1
    local most = string.sub(owner, -1) == 't' and TEST_ENTRIES_MAX or ENTRIES_MAX
    if not is_last and redis.call('ZCARD', list.key) >= most then
      return nil
    end
    plan.sequence, plan.passed, plan.lap = next_sequence(list)
    if not plan.sequence then
      return nil
    end
    plan.number = plan.sequence % NUMBERS
  end
  return plan
end

local function release_entry(list, owner, number)
  local refs, sequence = uses_of(list, number)
  if not refs then
    return
  elseif refs == 1 then
    redis.call('HDEL', list.uses, number)
    redis.call('ZREMRANGEBYSCORE', list.key, sequence, sequence)
    local last = tonumber(redis.call('HGET', list.uses, 'last'))
    if (number - last) % NUMBERS <= 2 * LAP then
      redis.call('HSET', list.uses, 'q:' .. number, '1')
    end
  else
    redis.call('HSET', list.uses, number, string.format('%d %.0f', refs - 1, sequence))
  end
  local left = redis.call('HINCRBY', list.uses, owner .. ':' .. number, -1)
  if left <= 0 then
    redis.call('HDEL', list.uses, owner .. ':' .. number)
  end
  if left == 0 and redis.call('HINCRBY', list.uses, owner, -1) <= 0 then
    redis.call('HDEL', list.uses, owner)
  end
end

-- Carries out a plan. Returns the number of the entry that the record names, 0 for none.
local function apply_plan(plan)
  local list = plan.list
  if plan.keeps then
    return plan.old or 0
  end
  if plan.entry then
    local refs, sequence = uses_of(list, plan.number)
    if plan.sequence then
      sequence = plan.sequence
      local text = string.format('%.0f', sequence)
      redis.call('ZADD', list.key, text, plan.entry)
      redis.call('HSET', list.uses, 'last', text)
      for _, field in ipairs(plan.passed) do
        redis.call('HDEL', list.uses, field)
      end
      if plan.lap then
        redis.call('HSET', list.uses, 'lap', string.format('%.0f', plan.lap))
      end
    end
    redis.call('HSET', list.uses, plan.number, string.format('%d %.0f', (refs or 0) + 1, sequence))
    if redis.call('HINCRBY', list.uses, plan.owner .. ':' .. plan.number, 1) == 1 then
      redis.call('HINCRBY', list.uses, plan.owner, 1)
    end
  end
  if plan.old then
    release_entry(list, plan.owner, plan.old)
  end
  return plan.number or 0
end
