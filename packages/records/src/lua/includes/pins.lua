-- The PINs of a site: a hash from a reservation's handle, or `b` and a bundle's, to a PIN entry. One field has the generation of the key under which all of them
-- are hashed, how many PINs ended when it was raised, and why it was, with blanks between; it is absent while the generation is 0.

-- A PIN entry: 32 bytes of hash, then begin and end of validity as u32. A new one comes with the generation of its key as u32, which is not stored.
local PIN_ENTRY_BYTES, PIN_HASH_BYTES, PIN_BEGIN_AT = 40, 32, 33
local NEW_PIN_BYTES = PIN_ENTRY_BYTES + 4

local PIN_KEY_FIELD = '#'

-- Generation of the key, how many PINs ended when it was raised, and why.
local function pin_key(pins_key)
  local stored = redis.call('HGET', pins_key, PIN_KEY_FIELD)
  if not stored then
    return 0, 0, ''
  end
  local generation, ended, cause = string.match(stored, '^(%d+) (%d+) (.*)$')
  return tonumber(generation), tonumber(ended), cause
end

-- The entry to store of a new PIN. Nil: the key has been raised since the PIN was hashed.
local function stored_pin(pins_key, new_pin)
  if struct.unpack('<I4', new_pin, PIN_ENTRY_BYTES + 1) ~= pin_key(pins_key) then
    return nil
  end
  return string.sub(new_pin, 1, PIN_ENTRY_BYTES)
end
