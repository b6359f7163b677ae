import type { Observation } from "../observe/observation.ts";

/** An observation, and when it was made: ms by a monotonic clock that all members share. */
export interface Stamped {
  readonly stampMs: number;
  readonly observation: Observation;
}

/** What every member reads for itself. The oracle needs one reading of it, complete and in order, which others' in between would make look wrong or hide. */
const ofFirstOnly: ReadonlySet<Observation["kind"]> = new Set(["event", "feed", "directory", "counts"]);

/**
 * Puts what the members of a process group observe in the order in which it was observed: the oracle depends on it. Feeds, counts of sites, and
 * that the directory was read, are as the first member read them.
 */
export class Merge {
  readonly #take: (observation: Observation) => void;
  readonly #waiting: Stamped[][];
  readonly #untilMs: number[];
  readonly #shiftMs: number[];

  constructor(members: number, take: (observation: Observation) => void) {
    this.#take = take;
    this.#waiting = Array.from({ length: members }, () => []);
    this.#untilMs = Array.from({ length: members }, () => 0);
    this.#shiftMs = Array.from({ length: members }, () => 0);
  }

  /** @param shiftMs how much later than the first the member began its run */
  began(member: number, shiftMs: number): void {
    this.#shiftMs[member] = shiftMs;
  }

  /** Takes what a member has observed before a time, in its order. */
  add(member: number, items: readonly Stamped[], untilMs: number): void {
    this.#waiting[member]?.push(...items);
    this.#untilMs[member] = untilMs;
    this.#release(Math.min(...this.#untilMs));
  }

  #release(beforeMs: number): void {
    const due = this.#waiting.flatMap((items, member) => {
      const count = items.findIndex(({ stampMs }) => stampMs >= beforeMs);
      return items.splice(0, count < 0 ? items.length : count).map((item) => ({ ...item, member }));
    });
    due.sort((a, b) => a.stampMs - b.stampMs);
    for (const { observation, member } of due)
      if (member === 0 || !ofFirstOnly.has(observation.kind)) this.#take(this.#shifted(observation, member));
  }

  /** With times since the run began, of the member that began first. */
  #shifted(observation: Observation, member: number): Observation {
    const shiftMs = this.#shiftMs[member] ?? 0;
    if (observation.kind !== "call" && observation.kind !== "late") return observation;
    const times = { dueMs: observation.dueMs + shiftMs, sentMs: observation.sentMs + shiftMs };
    return observation.kind === "late" ? { ...observation, ...times } : { ...observation, ...times, doneMs: observation.doneMs + shiftMs };
  }
}
