-- Encodes parts of messages. Encoded messages may be concatenated: a parser merges them, and later fields override earlier ones. Include
-- after fields.

local function varint(number)
  local bytes = ''
  while number >= 128 do
    bytes = bytes .. string.char(number % 128 + 128)
    number = math.floor(number / 128)
  end
  return bytes .. string.char(number)
end

local function number_field(field, number)
  return varint(field * 8) .. varint(number)
end

local function text_field(field, text)
  return varint(field * 8 + 2) .. varint(#text) .. text
end

-- A google.protobuf.Timestamp, from microseconds since 1970. Nanos are written even if they are 0, to override an earlier value.
local function time_field(field, us)
  return text_field(
    field,
    number_field(TIMESTAMP_SECONDS, math.floor(us / 1000000)) .. number_field(TIMESTAMP_NANOS, us % 1000000 * 1000)
  )
end
