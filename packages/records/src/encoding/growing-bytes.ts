/** Initial capacity in bytes. A buffer that has grown to more than 64 times as much is replaced at the next reset. */
const firstBytes = 4096;

/** A growing buffer to which values are appended, numbers little-endian. Its memory is reused after a reset. */
export class GrowingBytes {
  #buffer = Buffer.allocUnsafe(firstBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Discards the content. */
  reset(): void {
    if (this.#buffer.length > 64 * firstBytes) this.#buffer = Buffer.allocUnsafe(firstBytes);
    this.#length = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  u48(value: number): void {
    this.#reserve(6);
    this.#length = this.#buffer.writeUIntLE(value, this.#length, 6);
  }

  i8(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeInt8(value, this.#length);
  }

  /** Appends an integer up to 2^53 as a double, Lua's only type of number. */
  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends a string of characters below 256, one byte each. */
  latin1(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#buffer.write(text, this.#length, "latin1");
  }

  /** Appends the bytes that `write` appends, after their length as u16. */
  afterLength16(write: () => void): void {
    const before = this.#length;
    this.u16(0);
    write();
    this.#buffer.writeUInt16LE(this.#length - before - 2, before);
  }

  /**
   * Appends the bytes that `write` appends, after their length as u8.
   *
   * @throws {RangeError} if there are more than 255.
   */
  afterLength8(write: () => void): void {
    const before = this.#length;
    this.u8(0);
    write();
    const written = this.#length - before - 1;
    if (written > 0xff) throw new RangeError(`${written} bytes, at most 255`);
    this.#buffer[before] = written;
  }

  /** A copy of the content. */
  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
