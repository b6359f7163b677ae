import type { Counted } from "./summary.ts";

const mostIntentions = 20;
const mostNames = 200;
const others = "(others)";
const longestName = 100;

/**
 * Counts by name, with the first intentions of each. Names may come from a stranger: they are cut at 100 characters, and beyond 200
 * different ones further ones are counted together.
 */
export class Tally {
  readonly #counts = new Map<string, { count: number; intentions: number[]; parts: Map<string, number> }>();

  /** @param part what else to count by, within the name. */
  add(fullName: string, intentions: readonly number[], part?: string): void {
    const name = fullName.slice(0, longestName);
    const key = this.#counts.has(name) || this.#counts.size < mostNames ? name : others;
    let entry = this.#counts.get(key);
    if (entry === undefined) {
      entry = { count: 0, intentions: [], parts: new Map() };
      this.#counts.set(key, entry);
    }
    entry.count += 1;
    for (const intention of intentions) {
      if (entry.intentions.length >= mostIntentions) break;
      if (intention > 0 && !entry.intentions.includes(intention)) entry.intentions.push(intention);
    }
    if (part !== undefined) entry.parts.set(part, (entry.parts.get(part) ?? 0) + 1);
  }

  countOf(name: string): number {
    return this.#counts.get(name)?.count ?? 0;
  }

  get total(): number {
    let total = 0;
    for (const { count } of this.#counts.values()) total += count;
    return total;
  }

  /** The names, the most frequent first. */
  entries(): [name: string, Counted & { parts: { [part: string]: number } }][] {
    return [...this.#counts]
      .sort(([a, { count: countA }], [b, { count: countB }]) => countB - countA || (a < b ? -1 : 1))
      .map(([name, { count, intentions, parts }]) => [name, { count, intentions: [...intentions], parts: Object.fromEntries(parts) }]);
  }
}
