-- The sites of a region in the order of their last changes, see sites/listed-sites.ts.
--
--   <listed>   sorted set: site number -> sequence of its last change; 'last' -> the greatest sequence that was given, also to a site that has ended
--
-- A sequence is the time in s, or one more than the last if that is not less. So a store that has lost its latest changes, by a failover or a backup, gives no
-- sequence a second time.

-- Gives a site the next sequence.
local function list_change(listed, site_text, now_ms)
  local last = tonumber(redis.call('ZSCORE', listed, 'last') or 0)
  local sequence = math.max(last + 1, math.floor(now_ms / 1000))
  redis.call('ZADD', listed, sequence, 'last', sequence, site_text)
end
