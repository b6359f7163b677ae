/** Most columns of a series. */
export const maxColumns = 240;

/**
 * Columns of equal length over a time whose end is not known: at first of `firstStepMs` each; whenever there would be more than {@link maxColumns},
 * each two become one of twice the length. So a short run has many columns, and one of any length has at least half of the most.
 */
export class Series<Column> {
  #stepMs: number;
  #columns: (Column | undefined)[] = [];
  readonly #merge: (into: Column, from: Column) => void;
  readonly #make: () => Column;

  /** @param merge adds what `from`, the later one, has to `into`. */
  constructor(firstStepMs: number, make: () => Column, merge: (into: Column, from: Column) => void) {
    this.#stepMs = firstStepMs;
    this.#make = make;
    this.#merge = merge;
  }

  get stepMs(): number {
    return this.#stepMs;
  }

  /** The column of a time in ms since the run began; times before that belong to the first. */
  at(timeMs: number): Column {
    const sinceMs = Math.max(0, timeMs);
    while (sinceMs >= this.#stepMs * maxColumns) this.#halve();
    const index = Math.floor(sinceMs / this.#stepMs);
    let column = this.#columns[index];
    if (column === undefined) {
      column = this.#make();
      this.#columns[index] = column;
    }
    return column;
  }

  /** The columns in which something is, from the earliest. */
  *entries(): Generator<{ fromMs: number; column: Column }> {
    for (const [index, column] of this.#columns.entries()) {
      if (column !== undefined) yield { fromMs: index * this.#stepMs, column };
    }
  }

  #halve(): void {
    const halved: (Column | undefined)[] = [];
    for (let index = 0; index < this.#columns.length; index += 2) {
      const [first, second] = [this.#columns[index], this.#columns[index + 1]];
      if (first !== undefined && second !== undefined) this.#merge(first, second);
      halved[index / 2] = first ?? second;
    }
    this.#columns = halved;
    this.#stepMs *= 2;
  }
}
