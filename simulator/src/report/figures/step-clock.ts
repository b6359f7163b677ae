import type { RunHeader } from "../../observe/run-header.ts";
import { localClock } from "../../time/local-time.ts";
import type { Steps } from "../report.ts";

const hourMs = 3_600_000;

/** Most steps: two weeks of hours. */
const mostSteps = 336;

/** A list by step that must follow when two steps become one. */
export interface Foldable {
  /** Makes one step of each two. */
  fold(): void;
}

/** Divides the time of a run into steps of equal length, first of an hour. When there are too many, it makes one of each two. */
export class StepClock {
  readonly #header: RunHeader;
  readonly #local: (instantMs: number) => number;
  readonly #lists: Foldable[] = [];
  readonly #firstMs: number;
  #stepHours = 1;
  #count = 1;

  constructor(header: RunHeader) {
    this.#header = header;
    this.#local = localClock(header.trace.timeZone);
    this.#firstMs = Math.floor(this.localMs(header.beganAtMs) / hourMs) * hourMs;
  }

  /** City time that passes in one unit of the gateway's. */
  get speed(): number {
    return speedOf(this.#header);
  }

  /** Registers a list by step. */
  follow<T extends Foldable>(list: T): T {
    this.#lists.push(list);
    return list;
  }

  /** City time by the clocks of the city, in ms, of an instant of the gateway's. */
  localMs(atMs: number): number {
    const { beganAtMs, trace } = this.#header;
    return this.#local(Date.parse(trace.startAt) + (atMs - beganAtMs) * this.speed);
  }

  /** The step of an instant of the gateway's. What is before the run is in the first one. */
  stepOf(atMs: number): number {
    const hours = Math.max(0, Math.floor((this.localMs(atMs) - this.#firstMs) / hourMs));
    while (Math.floor(hours / this.#stepHours) >= mostSteps) {
      this.#stepHours *= 2;
      this.#count = Math.ceil(this.#count / 2);
      for (const list of this.#lists) list.fold();
    }
    const step = Math.floor(hours / this.#stepHours);
    this.#count = Math.max(this.#count, step + 1);
    return step;
  }

  steps(): Steps {
    const startOf = (step: number) => localText(this.#firstMs + step * this.#stepHours * hourMs);
    return { hours: this.#stepHours, starts: Array.from({ length: this.#count }, (_, step) => startOf(step)) };
  }
}

export function speedOf({ pace }: RunHeader): number {
  return pace.clock === "wall" ? pace.speed : 1;
}

/** A local time as `2026-11-09T08:00`. */
export function localText(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 16);
}

/** Counts by step. */
export class StepCounts implements Foldable {
  #counts: number[] = [];

  add(step: number): void {
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
  }

  fold(): void {
    const { length } = this.#counts;
    const at = (step: number) => this.#counts[step] ?? 0;
    this.#counts = Array.from({ length: Math.ceil(length / 2) }, (_, step) => at(2 * step) + at(2 * step + 1));
  }

  /** @param length the number of steps */
  list(length: number): number[] {
    return Array.from({ length }, (_, step) => this.#counts[step] ?? 0);
  }
}

/** The last number of each step; in steps between without one, that of the step before. */
export class StepLevels implements Foldable {
  #levels: (number | undefined)[] = [];

  set(step: number, level: number): void {
    this.#levels[step] = level;
  }

  fold(): void {
    const { length } = this.#levels;
    this.#levels = Array.from({ length: Math.ceil(length / 2) }, (_, step) => this.#levels[2 * step + 1] ?? this.#levels[2 * step]);
  }

  /** @param length the number of steps */
  list(length: number): (number | null)[] {
    let last: number | null = null;
    return Array.from({ length }, (_, step) => {
      last = this.#levels[step] ?? last;
      return step < this.#levels.length ? last : null;
    });
  }
}
