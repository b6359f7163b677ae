/** Up to this length, copying byte by byte is faster than Buffer's own copy. */
const loopMaxBytes = 24;

const zero = 0x30;

/**
 * A growing buffer that is reused for one answer after another. Allocating memory for each answer would be most of the garbage collector's
 * work, and every call waits while it runs.
 */
export class ByteOutput {
  #bytes: Buffer;
  #length = 0;

  /** @param sizeBytes the initial capacity */
  constructor(sizeBytes = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** The number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written. They are valid until {@link clear} is called; copy them to keep them longer. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Discards everything written. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#makeRoom(length);
    if (length <= loopMaxBytes) {
      for (let index = 0; index < length; index++) this.#bytes[this.#length + index] = bytes[index] as number;
    } else {
      this.#bytes.set(bytes, this.#length);
    }
    this.#length += length;
  }

  /** Appends a text of Latin-1 characters, one byte each. */
  latin1(text: string): void {
    const { length } = text;
    this.#makeRoom(length);
    if (length <= loopMaxBytes) {
      for (let index = 0; index < length; index++) this.#bytes[this.#length + index] = text.charCodeAt(index);
    } else {
      this.#bytes.write(text, this.#length, "latin1");
    }
    this.#length += length;
  }

  /** Appends a text as UTF-8. Lone surrogates become U+FFFD. */
  utf8(text: string): void {
    this.#makeRoom(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Appends one byte. */
  byte(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Appends an integer from 0 to 2^32 - 1 in decimal digits. */
  decimal(number: number): void {
    let digits = 1;
    for (let power = 10; power <= number; power *= 10) digits += 1;
    this.#makeRoom(digits);
    let rest = number;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      this.#bytes[at] = zero + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#length += digits;
  }

  /** Appends an integer from 0 to 2^32 - 1 as a Protobuf varint. */
  varint(number: number): void {
    let rest = number;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    this.byte(rest);
  }

  /** Appends a double in 8 bytes, little-endian. */
  double(number: number): void {
    this.#makeRoom(8);
    this.#bytes.writeDoubleLE(number, this.#length);
    this.#length += 8;
  }

  #makeRoom(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.byteLength) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.byteLength));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}

/** Returns the length of an integer from 0 to 2^32 - 1 as a varint, in bytes. */
export function varintBytes(number: number): number {
  if (number < 0x80) return 1;
  if (number < 0x4000) return 2;
  if (number < 0x200000) return 3;
  return number < 0x10000000 ? 4 : 5;
}
