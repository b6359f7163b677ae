-- What has changed of what a site's agent is given, by version: a list beside the version of the agent's data, which lets Sync answer with a difference.
--
--   <version>             the version; its key ends with `-version`. What comes before is the key of the allowed reservations
--   <allowed>-changes     list, oldest first: u48 version, u32 tag, then with blanks between the handle of each reservation and `b` and the handle of each
--                         bundle that changed with this version; `*`: anything
--
-- An entry is missing where a gateway of an earlier release counted the version up. The tag differs in a store that was reset to an earlier copy and came
-- to the same version again: it is the server's time in us, of which 0 stands for no tag. The list ends itself two days after it was started or last cut.

local ALLOWED_CHANGES_KEPT_S = 2 * 86400
-- A longer difference would not save much.
local ALLOWED_CHANGES_LEAST, ALLOWED_CHANGES_PART = 64, 4
local ALLOWED_CHANGES_CUT_EACH = 32

local allowed_changes_tag

local function note_allowed_change(version_key, version, subjects)
  local allowed_key = string.sub(version_key, 1, -#'-version' - 1)
  local changes_key = allowed_key .. '-changes'
  if not allowed_changes_tag then
    local time = redis.call('TIME')
    allowed_changes_tag = math.max(1, (time[1] * 1000000 + time[2]) % 2 ^ 32)
  end
  local length = redis.call('RPUSH', changes_key, struct.pack('<I6I4', version, allowed_changes_tag) .. subjects)
  if version % ALLOWED_CHANGES_CUT_EACH == 0 then
    local kept = ALLOWED_CHANGES_LEAST + math.floor(redis.call('SCARD', allowed_key) / ALLOWED_CHANGES_PART)
    redis.call('LTRIM', changes_key, -kept, -1)
    length = 1
  end
  if length == 1 then
    redis.call('EXPIRE', changes_key, ALLOWED_CHANGES_KEPT_S)
  end
end
