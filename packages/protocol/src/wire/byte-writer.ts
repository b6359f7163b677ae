/** Writes the wire format of Protobuf into one buffer that is used again and again. */
export interface ByteWriter {
  /** Begins anew. */
  reset(): void;
  /** A whole number in [0, 2^53). */
  varint(value: number): void;
  /** A 64-bit number, or a negative one of 32 bits, as two's complement. */
  varint64(value: bigint): void;
  double(value: number): void;
  /** Bytes as they are. */
  raw(bytes: Uint8Array): void;
  /** A text's length in bytes, and its UTF-8. */
  text(value: string): void;
  /** What `write` writes, after its length. */
  lengthDelimited(write: () => void): void;
  /** A copy of what was written. */
  finish(): Buffer;
}

const firstBytes = 4096;

/** A text of more characters goes through the engine's own encoder: its call costs as much as some sixty characters. */
const shortText = 64;

/** Makes a writer. */
export function createByteWriter(): ByteWriter {
  let buffer = Buffer.allocUnsafe(firstBytes);
  let at = 0;

  function room(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function varint(value: number): void {
    room(10);
    let rest = value;
    while (rest > 0x7fffffff) {
      buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
  }

  /** Writes a short ASCII text and says whether it was one. */
  function ascii(value: string): boolean {
    room(value.length + 1);
    buffer[at] = value.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[at + 1 + index] = code;
    }
    at += value.length + 1;
    return true;
  }

  return {
    reset() {
      // One message of a megabyte must not keep a megabyte.
      if (buffer.length > 16 * firstBytes) buffer = Buffer.allocUnsafe(firstBytes);
      at = 0;
    },
    varint,
    varint64(value) {
      room(10);
      let rest = BigInt.asUintN(64, value);
      while (rest > 0x7fn) {
        buffer[at++] = Number(rest & 0x7fn) | 0x80;
        rest >>= 7n;
      }
      buffer[at++] = Number(rest);
    },
    double(value) {
      room(8);
      at = buffer.writeDoubleLE(value, at);
    },
    raw(bytes) {
      room(bytes.length);
      buffer.set(bytes, at);
      at += bytes.length;
    },
    text(value) {
      if (value.length <= shortText && ascii(value)) return;
      const bytes = Buffer.byteLength(value);
      varint(bytes);
      room(bytes);
      at += buffer.write(value, at);
    },
    lengthDelimited(write) {
      room(1);
      const before = at;
      at += 1;
      write();
      const length = at - before - 1;
      if (length <= 0x7f) {
        buffer[before] = length;
        return;
      }
      // Most messages need one byte for their length. This one is moved to make room for more.
      let more = 0;
      for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) more++;
      room(more);
      buffer.copyWithin(before + 1 + more, before + 1, at);
      const end = at + more;
      at = before;
      varint(length);
      at = end;
    },
    finish: () => Buffer.from(buffer.subarray(0, at)),
  };
}
