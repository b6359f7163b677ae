/** Numbers in records have 24 bits: sequence numbers modulo this. lua/includes/region-lists.lua has the same number. */
const numbers = 0x100_0000;

/**
 * How long what was read of a list is used, in ms of a monotonic clock; then all of it is read again. A number is given to another entry 45 minutes
 * after it was given to the one before at the earliest (lua/includes/region-lists.lua), which is three times as long as this and the ten minutes of the longest
 * search that began meanwhile.
 */
export const listKeptMs = 300_000;

/** Entries in memory above which those that no record names any more are dropped. */
const prunedAboveMin = 512;

interface Entry<Item> {
  readonly sequence: number;
  readonly item: Item;
}

/** An entry as it is read: its bytes and its sequence number. */
export type ReadEntry = readonly [bytes: Buffer, sequence: number];

/** The last version that any list had: no two have the same. */
let lastVersion = 0;

/**
 * One list of a region as far as it has been read: items by the numbers that records have for them. Entries that are deleted in the store stay until
 * {@link prune}, so that a block that was read earlier can be evaluated.
 */
export class RegionList<Item> {
  #entries = new Map<number, Entry<Item>>();
  #last = -1;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #pruneAbove = prunedAboveMin;
  #version = ++lastVersion;
  readonly #decode: (bytes: Buffer) => Item;

  constructor(decode: (bytes: Buffer) => Item) {
    this.#decode = decode;
  }

  /** Changes whenever a number may mean something else than before, and is that of no other list. */
  get version(): number {
    return this.#version;
  }

  /** Highest sequence number that was read; -1 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Whether so many entries are in memory that the whole list should be read again. */
  get isLarge(): boolean {
    return this.#entries.size > this.#pruneAbove;
  }

  /** Whether it was read so recently that it may be used. @param nowMs the monotonic time */
  isUsable(nowMs: number): boolean {
    return nowMs - this.#readAtMs <= listKeptMs;
  }

  /** The item with a number. Undefined: it has to be read first. @param nowMs the monotonic time */
  item(number: number, nowMs: number): Item | undefined {
    return this.isUsable(nowMs) ? this.#entries.get(number)?.item : undefined;
  }

  /** Whether any item satisfies a predicate. Includes items that were deleted in the store. */
  some(predicate: (item: Item) => boolean): boolean {
    for (const { item } of this.#entries.values()) if (predicate(item)) return true;
    return false;
  }

  /**
   * Takes what a command found after {@link last}. Replies may arrive in any order: of two entries with one number the later counts.
   *
   * @param askedAtMs when the command was sent, in ms of the monotonic clock
   */
  take(found: readonly ReadEntry[], askedAtMs: number): void {
    for (const [bytes, sequence] of found) {
      const number = sequence % numbers;
      const known = this.#entries.get(number);
      if (known === undefined || known.sequence < sequence) this.#entries.set(number, { sequence, item: this.#decode(bytes) });
      if (sequence > this.#last) this.#last = sequence;
    }
    if (found.length > 0) this.#version = ++lastVersion;
    if (askedAtMs > this.#readAtMs) this.#readAtMs = askedAtMs;
  }

  /**
   * Drops entries that a read of the whole list did not find.
   *
   * @param lastBefore {@link last} when the command was sent: later entries may have been added since
   */
  prune(found: readonly ReadEntry[], lastBefore: number): void {
    const there = new Set(found.map(([, sequence]) => sequence));
    for (const [number, { sequence }] of this.#entries) {
      if (sequence <= lastBefore && !there.has(sequence)) this.#entries.delete(number);
    }
    this.#version = ++lastVersion;
    this.#pruneAbove = Math.max(prunedAboveMin, 2 * this.#entries.size);
  }
}
