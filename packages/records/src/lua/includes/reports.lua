-- The last capacity report of a site, at the end of its site counts. Include after site-index.lua.

local OBSERVED_OFFSET = 28

-- The ttl of a report that ends the reporting: the gateway's own counts apply again.
local REPORTING_ENDED = 65535

local function class_count(site_counts)
  return string.byte(site_counts, COUNTS_HEAD_BYTES)
end

-- The site's last report. Nil if it never reported.
local function report_of(site_counts)
  local at = COUNTS_HEAD_BYTES + class_count(site_counts) * CLASS_BYTES
  if #site_counts == at then
    return nil
  end
  return string.sub(site_counts, at + 1)
end

local function packed_site_counts(moved_at, counts, report)
  return struct.pack('<I6B', moved_at, #counts) .. table.concat(counts) .. (report or '')
end

-- When a report was observed, in ms, and its ttl in s: 0 if it is not valid any more, or REPORTING_ENDED. Nil if there is no report.
local function report_times(report)
  if not report then
    return nil
  end
  return struct.unpack('<I6I2', report)
end

-- The flag of an index record that says whether the site reports, even if its last report has expired.
local function reports_byte(observed, ttl)
  return (observed and ttl ~= REPORTING_ENDED) and '\1' or '\0'
end

-- The observation in an index record: u32 s, u16 ttl in s, u16 of zero.
local function observed_bytes(observed, ttl)
  if not observed or ttl == REPORTING_ENDED then
    return string.rep('\0', 8)
  end
  return struct.pack('<I4I2I2', math.floor(observed / 1000), ttl, 0)
end
