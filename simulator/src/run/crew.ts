import type { Planned } from "./agenda.ts";

/** Does acts, those of one lane one after the other. */
export class Crew {
  readonly #running = new Set<Promise<void>>();
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #onDefect: (error: unknown) => void;

  /** @param onDefect called with what an act throws */
  constructor(onDefect: (error: unknown) => void) {
    this.#onDefect = onDefect;
  }

  /** Number of acts in progress. */
  get size(): number {
    return this.#running.size;
  }

  start({ planMs, act, lane }: Planned, dueMs: () => number): void {
    const before = lane === undefined ? undefined : this.#lanes.get(lane);
    const doing = (before === undefined ? act({ planMs, dueMs: dueMs() }) : before.then(() => act({ planMs, dueMs: dueMs() })))
      .catch(this.#onDefect)
      .finally(() => {
        this.#running.delete(doing);
        if (lane !== undefined && this.#lanes.get(lane) === doing) this.#lanes.delete(lane);
      });
    this.#running.add(doing);
    if (lane !== undefined) this.#lanes.set(lane, doing);
  }

  /** Resolves when one of the acts has ended. */
  async one(): Promise<void> {
    await Promise.race(this.#running);
  }

  /** Resolves when all acts have ended. */
  async all(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
