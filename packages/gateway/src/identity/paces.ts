import { count, type Pace, type Rate, waitMs } from "../transport/limits/rate.ts";
import { RecentMap } from "../transport/limits/recent-map.ts";

/** How often each of many may do something, e.g. send invalid credentials. */
export class Paces {
  readonly #paces: RecentMap<Pace>;
  readonly #now: () => number;

  /** @param max how many are remembered. Who did nothing for longest is forgotten, and starts anew */
  constructor({ max, now }: { max: number; now: () => number }) {
    this.#paces = new RecentMap(max);
    this.#now = now;
  }

  get size(): number {
    return this.#paces.size;
  }

  /** Returns the wait until somebody may do it again, in ms. 0: now. */
  waitMs(name: string, rate: Rate): number {
    const pace = this.#paces.find(name);
    return pace === undefined ? 0 : Math.ceil(waitMs(pace, rate, this.#now()));
  }

  /** Counts one of somebody's. */
  count(name: string, rate: Rate): void {
    const pace = this.#paces.find(name) ?? { dueMs: Number.NEGATIVE_INFINITY };
    count(pace, rate, this.#now());
    this.#paces.put(name, pace);
  }
}
