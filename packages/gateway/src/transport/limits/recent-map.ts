/** How many of the oldest entries are looked at for one to forget. */
const searchedMax = 32;

/**
 * A map of limited size. Beyond it the entry that was not used for longest is forgotten, so that somebody who makes up names drives out nobody who comes
 * back more often.
 */
export class RecentMap<Value> {
  /** In the order of their last use: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Value>();
  readonly #max: number;
  readonly #isKept: (value: Value) => boolean;
  #newest: string | undefined = undefined;

  /**
   * @param max most entries
   * @param isKept whether an entry must not be forgotten now. While all of the oldest are kept, there may be more than `max`
   */
  constructor(max: number, isKept: (value: Value) => boolean = () => false) {
    this.#max = max;
    this.#isKept = isKept;
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): Iterable<Value> {
    return this.#entries.values();
  }

  /** Whether there is an entry. Does not use it. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Returns an entry, which is used by that. */
  find(name: string): Value | undefined {
    const value = this.#entries.get(name);
    // Most callers make many calls in a row.
    if (value !== undefined && name !== this.#newest) this.#setNewest(name, value);
    return value;
  }

  put(name: string, value: Value): void {
    this.#setNewest(name, value);
    if (this.#entries.size > this.#max) this.#forgetOne();
  }

  delete(name: string): void {
    this.#entries.delete(name);
  }

  #setNewest(name: string, value: Value): void {
    this.#entries.delete(name);
    this.#entries.set(name, value);
    this.#newest = name;
  }

  #forgetOne(): void {
    let searched = 0;
    for (const [name, value] of this.#entries) {
      this.#entries.delete(name);
      if (!this.#isKept(value)) return;
      // Moved behind, so that the next search begins with others.
      this.#setNewest(name, value);
      searched += 1;
      if (searched >= searchedMax) return;
    }
  }
}
