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

-- Places of a size class that are out of order by the site's last report, also if that is not valid any more. 0: it says nothing of them.
local function reported_out_of_service(report, class)
  local _, ttl = report_times(report)
  if not ttl or ttl == REPORTING_ENDED or #report < 12 + class * 4 then
    return 0
  end
  local _, out_of_service = struct.unpack('<I2I2', report, 9 + class * 4)
  return out_of_service
end

-- The places of a size class in service: those that neither the operator's report nor the site's device says cannot be used. `caps` has for each
-- class the most places that can be used by the device's word, u16.
local function places_in_service(installed, report, caps, class)
  local cap = struct.unpack('<I2', caps, class * 2 + 1)
  return math.min(cap, math.max(0, installed - reported_out_of_service(report, class)))
end

-- The flag of an index record that says whether the site reports, even if its last report has expired.
local function reports_byte(observed, ttl)
  return (observed and ttl ~= REPORTING_ENDED) and '\1' or '\0'
end

-- The observation in an index record: u32 s, u16 ttl in s.
local function observed_bytes(observed, ttl)
  if not observed or ttl == REPORTING_ENDED then
    return string.rep('\0', 6)
  end
  return struct.pack('<I4I2', math.floor(observed / 1000), ttl)
end
