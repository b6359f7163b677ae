-- Stored responses: 16 bytes of fingerprint, a byte of kind (A: response, N: no place was free, P: plan), then the content.

-- What a repeated request gets, by the entry of its idempotency key. Nil if the request is new.
local function repetition_of(entry, fingerprint)
  if not entry then
    return nil
  end
  if string.sub(entry, 1, 16) ~= fingerprint then
    return { 'reused' }
  end
  local kind = string.sub(entry, 17, 17)
  local content = string.sub(entry, 18)
  if kind == 'A' then
    return { 'repeated', content }
  elseif kind == 'P' then
    return { 'planned', content }
  end
  return { 'none' }
end

local function find_repetition(response_key, fingerprint)
  return repetition_of(redis.call('GET', response_key), fingerprint)
end

local function store_response(response_key, fingerprint, kind, content, ttl_ms)
  redis.call('SET', response_key, fingerprint .. kind .. content, 'PX', ttl_ms)
end
