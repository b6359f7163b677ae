import { labelCodesOf } from "@petak/lifecycle";
import { formatReservationId, type ModeName, parseReservationId, type Reservation } from "@petak/protocol";
import { canonicalLabelCode } from "@petak/protocol/label-code";
import type { Keys, RedisConnection } from "@petak/redis";

/** Finds the held and confirmed reservations of an operator's sites by the codes on their labels. */
export interface LabelIndex {
  /** Adds a reservation that is about to be confirmed, under each of its codes. Must succeed before the transition is written. @param atMs when it is confirmed */
  add(reservation: Reservation, atMs: number): Promise<void>;
  /** Adds a reservation that is held, for as long as its hold lasts: so codes take no more room than holds do. @param atMs when it was made */
  addHeld(reservation: Reservation, atMs: number, holdMs: number): Promise<void>;
  /**
   * The ids of the latest reservations with a code, the latest first, at most {@link labelledMax}. The reservation may not exist, or not have been confirmed,
   * or have got other codes since: compare what it says.
   */
  find(operator: { mode: ModeName; operatorId: string }, code: string): Promise<string[]>;
}

/** The most reservations that are found by one code. */
export const labelledMax = 32;

/** How long a code is kept after the last confirmation of a reservation with it, in ms. */
const keptMs = 60 * 86_400_000;

/** Keeps codes in Redis, a key for each, wherever its reservations are. */
export function createLabelIndex(redis: RedisConnection, keys: Keys): LabelIndex {
  async function add(reservation: Reservation, atMs: number, forMs: number): Promise<void> {
    const { reservationId, operatorId, isTest } = reservation;
    const id = parseReservationId(reservationId);
    if (id === undefined) return;
    const codes = new Set(labelCodesOf(reservation).map(canonicalLabelCode));
    const names = [...codes].map((code) => keys.labelled(isTest ? "test" : "live", operatorId, code));
    // Sent together.
    await Promise.all(
      names.flatMap((name) => [
        redis.zadd(name, atMs, `${id.region}${id.handle}`),
        redis.zremrangebyrank(name, 0, -labelledMax - 1),
        // A key without an end first gets one; none ends earlier.
        redis.pexpire(name, forMs, "NX"),
        redis.pexpire(name, forMs, "GT"),
      ]),
    );
  }

  return {
    add: (reservation, atMs) => add(reservation, atMs, keptMs),
    addHeld: add,
    async find({ mode, operatorId }, code) {
      const found = await redis.zrevrange(keys.labelled(mode, operatorId, canonicalLabelCode(code)), 0, -1);
      return found.map((entry) => formatReservationId(entry.slice(0, regionLength), entry.slice(regionLength)));
    },
  };
}

/** Characters of a region. */
const regionLength = 6;
