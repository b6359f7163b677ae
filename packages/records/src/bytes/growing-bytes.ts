/** Room to begin with, in bytes. What has grown to more than 64 times as much is given back at the next beginning. */
const firstBytes = 4096;

/** Bytes written one after another, numbers little-endian, into memory that is used again and again. */
export class GrowingBytes {
  #buffer = Buffer.allocUnsafe(firstBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Begins anew. */
  reset(): void {
    if (this.#buffer.length > 64 * firstBytes) this.#buffer = Buffer.allocUnsafe(firstBytes);
    this.#length = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#length = this.#buffer.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  u48(value: number): void {
    this.#room(6);
    this.#length = this.#buffer.writeUIntLE(value, this.#length, 6);
  }

  i8(value: number): void {
    this.#room(1);
    this.#length = this.#buffer.writeInt8(value, this.#length);
  }

  /** A whole number up to 2^53, as Lua has numbers. */
  double(value: number): void {
    this.#room(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A text of characters below 256, a byte each. */
  latin1(text: string): void {
    this.#room(text.length);
    this.#length += this.#buffer.write(text, this.#length, "latin1");
  }

  /** What `write` writes, after u16 of how many bytes that are. */
  afterLength16(write: () => void): void {
    const before = this.#length;
    this.u16(0);
    write();
    this.#buffer.writeUInt16LE(this.#length - before - 2, before);
  }

  /** What `write` writes, after u8 of how many bytes that are. */
  afterLength8(write: () => void): void {
    const before = this.#length;
    this.u8(0);
    write();
    const written = this.#length - before - 1;
    if (written > 0xff) throw new RangeError(`${written} bytes, at most 255`);
    this.#buffer[before] = written;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
