/** A least-recently-used cache with a maximum total weight. */
export class WeightedCache<Value> {
  readonly #values = new Map<string, { value: Value; weight: number }>();
  readonly #weightMax: number;
  #weight = 0;

  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get(name: string): Value | undefined {
    const kept = this.#values.get(name);
    if (kept === undefined) return undefined;
    // A map iterates in the order of insertion.
    this.#values.delete(name);
    this.#values.set(name, kept);
    return kept.value;
  }

  delete(name: string): void {
    this.#weight -= this.#values.get(name)?.weight ?? 0;
    this.#values.delete(name);
  }

  set(name: string, value: Value, weight: number): void {
    this.delete(name);
    this.#values.set(name, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#weightMax) return;
      this.delete(oldest);
    }
  }
}
