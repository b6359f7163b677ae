/** Writes the Protobuf wire format into one reused buffer. */
export interface ByteWriter {
  /** Discards what was written. */
  reset(): void;
  /** Writes an integer in [0, 2^53). */
  varint(value: number): void;
  /** Writes a 64-bit integer, or a negative 32-bit one, in two's complement. */
  varint64(value: bigint): void;
  double(value: number): void;
  /** Writes bytes unchanged. */
  raw(bytes: Uint8Array): void;
  /** Writes the length of a string in bytes, and its UTF-8. */
  text(value: string): void;
  /** Writes the output of `write`, preceded by its length. */
  lengthDelimited(write: () => void): void;
  /** Returns a copy of what was written. */
  finish(): Buffer;
}

const firstBytes = 4096;

/** Longer strings are encoded by the engine: its call costs as much as encoding about 60 characters here. */
const shortText = 64;

/** Creates a writer. */
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

  /** Writes a string of at most {@link shortText} characters if it is ASCII. Returns false if it is not; nothing is then written. */
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
      // A single large message must not keep its memory.
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
      // One byte was reserved for the length, which is enough for most messages. This one is moved to make room for more bytes.
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
