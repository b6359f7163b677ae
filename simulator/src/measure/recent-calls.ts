import type { CallObserved, Operation } from "../observe/observation.ts";
import { Latencies } from "./latencies.ts";
import { outcomeClass } from "./outcome-class.ts";

/** One operation, recently. */
export interface RecentOperation {
  /** Of the last ten complete seconds and the current one. */
  readonly callsPerS: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** 99th percentile in ms of each of the last 60 complete seconds, the latest last; undefined where no call ended. */
  readonly lastMinuteP99Ms: readonly (number | undefined)[];
}

const secondMs = 1000;
const recentS = 10;
const minuteS = 60;

/** Calls that ended in one second. */
interface Slot {
  readonly second: number;
  readonly latencies: Latencies;
  failed: number;
  /** Known once the second is over and was asked for. */
  p99Ms?: number;
}

/** The recent calls of one operation: the sum over the last seconds is kept, because to add them up anew for each view would take long. */
interface Ring {
  readonly slots: (Slot | undefined)[];
  readonly recent: Latencies;
  failed: number;
}

/** The calls of the last minute by the second in which they ended, in bounded memory. */
export class RecentCalls {
  readonly #operations = new Map<Operation, Ring>();
  #second = 0;

  observe({ operation, dueMs, doneMs, outcome }: CallObserved): void {
    const second = Math.max(0, Math.floor(doneMs / secondMs));
    this.#advance(second);
    // What is older is told too late to be recent.
    if (second < this.#second - recentS) return;
    let ring = this.#operations.get(operation);
    if (ring === undefined) {
      ring = { slots: new Array<Slot | undefined>(minuteS + 1).fill(undefined), recent: new Latencies(2), failed: 0 };
      this.#operations.set(operation, ring);
    }
    let slot = slotOf(ring, second);
    if (slot === undefined) {
      slot = { second, latencies: new Latencies(2), failed: 0 };
      ring.slots[second % ring.slots.length] = slot;
    }
    slot.latencies.record(doneMs - dueMs);
    ring.recent.record(doneMs - dueMs);
    delete slot.p99Ms;
    if (outcomeClass(operation, outcome) !== "failed") return;
    slot.failed += 1;
    ring.failed += 1;
  }

  view(elapsedMs: number): Map<Operation, RecentOperation> {
    this.#advance(Math.floor(elapsedMs / secondMs));
    const seconds = Math.max(1, Math.min(elapsedMs / secondMs, recentS + ((elapsedMs / secondMs) % 1)));
    const view = [...this.#operations].map(([operation, ring]): [Operation, RecentOperation] => {
      const { recent, failed } = ring;
      const lastMinuteP99Ms = Array.from({ length: minuteS }, (_, index) => p99Of(slotOf(ring, this.#second - minuteS + index)));
      return [
        operation,
        { failed, callsPerS: recent.count / seconds, p50Ms: recent.percentileMs(50), p99Ms: recent.percentileMs(99), lastMinuteP99Ms },
      ];
    });
    return new Map(view);
  }

  /** Takes out of the sums what is not recent any more. */
  #advance(second: number): void {
    const passed = Math.min(minuteS, second - this.#second);
    for (let old = this.#second - recentS; old < this.#second - recentS + passed; old++) {
      for (const ring of this.#operations.values()) {
        const slot = slotOf(ring, old);
        if (slot === undefined) continue;
        ring.recent.subtract(slot.latencies);
        ring.failed -= slot.failed;
      }
    }
    this.#second = Math.max(this.#second, second);
  }
}

function slotOf({ slots }: Ring, second: number): Slot | undefined {
  const slot = second < 0 ? undefined : slots[second % slots.length];
  return slot?.second === second ? slot : undefined;
}

function p99Of(slot: Slot | undefined): number | undefined {
  if (slot === undefined) return undefined;
  slot.p99Ms ??= slot.latencies.percentileMs(99);
  return slot.p99Ms;
}
