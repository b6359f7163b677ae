import { type HeldCounts, type Sharer, sharerOf } from "@petak/records";

/** Counts the unconfirmed holds of participants in all regions, as far as a gateway knows them. */
export interface HoldTotals {
  /**
   * Begins a hold, unless the participant has `most`. Returns the function that ends it, with whether a place was held; or undefined if the participant has
   * `most`, as far as is known.
   */
  begin(sharer: Sharer, most: number): ((isHeld: boolean) => void) | undefined;
}

/** How old the sum of a participant's holds in all regions may be, in ms. docs/protocol.md states it. */
export const totalsStaleMs = 10_000;

/** The same, in ms, once what was taken since is half of what was left: holds that were confirmed since must not count. */
const nearLimitStaleMs = 1000;

/** The most participants whose sums are known. */
const participantsMax = 10_000;

/** What is known of one participant. */
interface Known {
  /** The sum when it was last read. */
  sum: number;
  /** Holds since, which may or may not be in the sum: those that have ended, and those that go on. */
  taken: number;
  inProgress: number;
  /** When reading began, in ms. */
  readAtMs: number;
  isReading: boolean;
}

/**
 * Creates the counts. A hold is counted here before it is taken, and the sum over all regions is read every {@link totalsStaleMs} while the participant takes
 * holds, and every {@link nearLimitStaleMs} where it may be near its limit, beside its calls: so that no call waits for it, and a gateway allows no more than the limit beyond what it last read. Other gateways learn of it when
 * they read next, so at most the limit for each gateway is held meanwhile.
 */
export function createHoldTotals(counts: Pick<HeldCounts, "inAll">, now: () => number, onError: (error: unknown) => void): HoldTotals {
  const participants = new Map<string, Known>();

  function knownOf(name: string): Known {
    const found = participants.get(name);
    if (found !== undefined) return found;
    if (participants.size >= participantsMax) {
      const oldest = participants.keys().next().value;
      if (oldest !== undefined) participants.delete(oldest);
    }
    const known: Known = { sum: 0, taken: 0, inProgress: 0, readAtMs: Number.NEGATIVE_INFINITY, isReading: false };
    participants.set(name, known);
    return known;
  }

  async function read(known: Known, sharer: Sharer): Promise<void> {
    const { taken } = known;
    known.readAtMs = now();
    known.isReading = true;
    try {
      known.sum = await counts.inAll(sharer);
      // Those that ended while the regions were read may be missing in the sum.
      known.taken -= taken;
    } catch (error) {
      onError(error);
    } finally {
      known.isReading = false;
    }
  }

  return {
    begin(sharer, most) {
      const known = knownOf(sharerOf(sharer));
      const isNear = known.taken + known.inProgress >= (most - known.sum) / 2;
      if (!known.isReading && now() - known.readAtMs >= (isNear ? nearLimitStaleMs : totalsStaleMs)) void read(known, sharer);
      if (known.sum + known.taken + known.inProgress >= most) return undefined;
      known.inProgress += 1;
      return (isHeld) => {
        known.inProgress -= 1;
        if (isHeld) known.taken += 1;
      };
    },
  };
}
