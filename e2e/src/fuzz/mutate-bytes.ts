import type { Random } from "@petak/testkit";

/** Invalid or nearly invalid message bytes: random, truncated, with flipped bits, spliced, or with input that parsers mishandle. */
export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  switch (random.int(0, 9)) {
    case 0:
      return Buffer.from(random.bytes(random.int(0, 200)));
    case 1:
      return Buffer.from(bytes.subarray(0, random.int(0, bytes.byteLength)));
    case 2:
    case 3:
    case 4:
      return withBitsTurned(random, bytes);
    case 5: {
      const at = random.int(0, bytes.byteLength);
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.int(1, 30)), bytes.subarray(at)]);
    }
    case 6: {
      const [from, to] = [random.int(0, bytes.byteLength), random.int(0, bytes.byteLength)].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    }
    case 7:
      return Buffer.concat([bytes, bytes]);
    default: {
      const at = random.bool() ? bytes.byteLength : random.int(0, bytes.byteLength);
      return Buffer.concat([bytes.subarray(0, at), random.pick(parserTraps), bytes.subarray(at)]);
    }
  }
}

function withBitsTurned(random: Random, bytes: Uint8Array): Buffer {
  const turned = Buffer.from(bytes);
  if (turned.byteLength === 0) return Buffer.from([random.int(0, 255)]);
  for (let left = random.int(1, 8); left > 0; left -= 1) {
    const at = random.int(0, turned.byteLength - 1);
    turned.writeUInt8(turned.readUInt8(at) ^ (1 << random.int(0, 7)), at);
  }
  return turned;
}

/** In the binary encoding: nested groups, unterminated groups, unknown wire types, oversized numbers, lengths beyond the end. */
const parserTraps: readonly Buffer[] = [
  Buffer.alloc(20_000, 0x0b),
  Buffer.concat([Buffer.alloc(500, 0x0b), Buffer.alloc(500, 0x0c)]),
  Buffer.from([0x0c]),
  Buffer.from([0x0e, 0x0f]),
  Buffer.from([0x00, 0x00]),
  Buffer.alloc(12, 0xff),
  Buffer.from([0x08, ...Array.from({ length: 11 }, () => 0x80), 0x01]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0xfa, 0xff, 0xff, 0xff, 0x0f, 0x02, 0x00, 0x00]),
  // Field 1 with invalid UTF-8: an overlong form, a surrogate, a lone byte.
  Buffer.from([0x0a, 0x02, 0xc0, 0x80]),
  Buffer.from([0x0a, 0x03, 0xed, 0xa0, 0x80]),
  Buffer.from([0x0a, 0x01, 0xff]),
];
