-- What sites report of their places. Goes after site-index.lua.

local OBSERVED_OFFSET = 28

-- What a report says in place of how long it holds where it ends the reports.
local OWN_COUNTS = 65535

local function class_count(tally)
  return string.byte(tally, TALLY_HEAD_BYTES)
end

-- The site's last report, or nil where it never reported.
local function report_of(tally)
  local at = TALLY_HEAD_BYTES + class_count(tally) * CLASS_BYTES
  if #tally == at then
    return nil
  end
  return string.sub(tally, at + 1)
end

local function packed_tally(moved_at, counts, report)
  return struct.pack('<I6B', moved_at, #counts) .. table.concat(counts) .. (report or '')
end

-- When a report was observed, in ms, and for how long it holds, in s: 0 not any more, OWN_COUNTS. Nil where there is none.
local function report_times(report)
  if not report then
    return nil
  end
  return struct.unpack('<I6I2', report)
end

-- Whether what the site reports is in force, or was, until it ends its reports: the byte of a record's flags that says so.
local function reports_byte(observed, ttl)
  return (observed and ttl ~= OWN_COUNTS) and '\1' or '\0'
end

-- What a record says of it.
local function observed_bytes(observed, ttl)
  if not observed or ttl == OWN_COUNTS then
    return string.rep('\0', 8)
  end
  return struct.pack('<I4I2I2', math.floor(observed / 1000), ttl, 0)
end
