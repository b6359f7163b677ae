import type { ViolationFound } from "../../observe/observation.ts";
import type { ViolationFigures } from "../report.ts";

/** Violations that are kept with their evidence. */
const mostKept = 100;

/** Length of the text of one observation, in characters. */
const mostEvidence = 2000;

/** What must never be true, and was. */
export class Violations {
  readonly #byRule = new Map<string, number>();
  readonly #first: ViolationFound[] = [];

  get count(): number {
    return [...this.#byRule.values()].reduce((sum, count) => sum + count, 0);
  }

  add(violation: ViolationFound): void {
    this.#byRule.set(violation.rule, (this.#byRule.get(violation.rule) ?? 0) + 1);
    if (this.#first.length < mostKept) this.#first.push(violation);
  }

  /** @param textOf the local time of an instant */
  figures(textOf: (atMs: number) => string): ViolationFigures {
    const byRule = [...this.#byRule].map(([rule, count]) => ({ rule, count })).sort((a, b) => b.count - a.count);
    return {
      count: this.count,
      byRule,
      first: this.#first.map(({ rule, atMs, text, intentions, evidence }) => ({
        rule,
        at: textOf(atMs),
        text,
        intentions,
        evidence: evidence.map((observation) => JSON.stringify(observation).slice(0, mostEvidence)),
      })),
    };
  }
}
