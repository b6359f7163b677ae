-- Remembered answers: 16 bytes of fingerprint, one byte of kind (A answer, N nothing was free, P plan), then the content.

-- What a repetition gets by what is remembered of its request id, or nil where that is new here.
local function remembered_in(record, fingerprint)
  if not record then
    return nil
  end
  if string.sub(record, 1, 16) ~= fingerprint then
    return { 'reused' }
  end
  local kind = string.sub(record, 17, 17)
  local content = string.sub(record, 18)
  if kind == 'A' then
    return { 'repeated', content }
  elseif kind == 'P' then
    return { 'planned', content }
  end
  return { 'none' }
end

local function remembered(answer_key, fingerprint)
  return remembered_in(redis.call('GET', answer_key), fingerprint)
end

local function remember(answer_key, fingerprint, kind, content, ttl_ms)
  redis.call('SET', answer_key, fingerprint .. kind .. content, 'PX', ttl_ms)
end
