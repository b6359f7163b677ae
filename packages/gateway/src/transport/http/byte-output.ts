/** Up to this length bytes are copied one by one, which takes less time than a call of the system's copy. */
const loopMaxBytes = 24;

const zero = 0x30;

/**
 * Memory into which answers are written, one after another: answers that are made of new memory each are what the collector has most to do
 * with, and while it works every call waits. It grows as it has to.
 */
export class ByteOutput {
  #bytes: Buffer;
  #length = 0;

  /** @param sizeBytes The length that it has room for at first. */
  constructor(sizeBytes = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** How much was written. */
  get length(): number {
    return this.#length;
  }

  /** What was written. It holds until {@link clear}: whoever wants it for longer copies it. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins again at the beginning. */
  clear(): this {
    this.#length = 0;
    return this;
  }

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

  /** A text whose characters are all of Latin-1, a byte each. */
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

  /** A text of any characters, as UTF-8. Halves of characters become U+FFFD, as everywhere. */
  utf8(text: string): void {
    this.#makeRoom(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** One byte. */
  byte(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length++] = byte;
  }

  /** A whole number from 0 to 2^32 - 1, in decimal digits. */
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

  /** A whole number from 0 to 2^32 - 1, as Protobuf has it. */
  varint(number: number): void {
    let rest = number;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    this.byte(rest);
  }

  /** A double in 8 bytes, the lowest first. */
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

/** How many bytes a whole number from 0 to 2^32 - 1 takes as a varint. */
export function varintBytes(number: number): number {
  if (number < 0x80) return 1;
  if (number < 0x4000) return 2;
  if (number < 0x200000) return 3;
  return number < 0x10000000 ? 4 : 5;
}
