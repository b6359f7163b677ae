import { setTimeout as pause } from "node:timers/promises";
import { hasEnded, isDue, nothingDue, passDeadline, type Transition } from "@petak/lifecycle";
import type { Region } from "@petak/protocol";
import type { Records, Release, TermsBook } from "@petak/records";
import { isStoreFailure } from "@petak/redis";

/** What the sweep needs. */
export interface SweepOptions {
  records: Records;
  termsBook: Pick<TermsBook, "of">;
  now: () => number;
  /** Pause between two rounds, in ms. */
  intervalMs: number;
  onError: (error: unknown) => void;
  /** Takes away what the archive has. Default: nothing is archived. */
  release?: Release;
}

/**
 * Moves reservations on that the clock has passed: holds that were not confirmed, deposits that did not come, what has waited long enough. And sees to
 * it that nobody waits beside a free place, whatever freed it.
 */
export interface Sweep {
  /** Goes through all regions once. Gives the number of reservations moved on. */
  once(): Promise<number>;
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
}

/** When it is tried again to take away what the archive has while it cannot be read, in ms. */
const releaseAgainMs = 3_600_000;

/** Reservations of one region that are looked for in one go. */
const atOnce = 200;

/** Reservations that are moved on together: as many as the store makes of moves in one step. What thousands of holds have taken is free within a second. */
const together = 32;

/** What became of one that is due: it was moved on; nothing is to be done with it any more, or later; or it could not be, or is not as it was read. */
type Step = "moved" | "settled" | "stuck";

/** That the store was away when one was to be moved on, so that nothing else can be either. */
interface StoreAway {
  readonly storeFailure: unknown;
}

/** Starts sweeping. Several gateways may sweep at once: the first to move a reservation on does, the others find it moved. */
export function startSweep({ records, termsBook, now, intervalMs, onError, release = async () => "kept" }: SweepOptions): Sweep {
  const stopping = new AbortController();

  async function moveOn(reservationId: string): Promise<Step> {
    const before = await records.reservations.find(reservationId);
    if (before === undefined) return "stuck";
    const site = await records.sites.filed(before.siteId);
    if (site === undefined) return "stuck";
    const nowMs = now();
    const write = async (transition: Transition) => (await records.reservations.apply({ ...transition, site })).tag === "done";
    if (isDue(before, nowMs)) {
      const terms = await termsBook.of(before);
      return (await write(passDeadline(before, { terms }, nowMs))) ? "moved" : "stuck";
    }
    // The clock has nothing more to do with it.
    const outcome = hasEnded(before) ? await release(before) : "kept";
    if (outcome === "released") return "settled";
    return (await write(nothingDue(before, outcome === "later" ? nowMs + releaseAgainMs : null))) ? "settled" : "stuck";
  }

  /** Moves one on as far as that goes, and throws nothing: the others of its batch go on beside it. */
  async function tryToMoveOn(reservationId: string): Promise<Step | StoreAway> {
    try {
      return await moveOn(reservationId);
    } catch (error) {
      if (isStoreFailure(error)) return { storeFailure: error };
      onError(error);
      return "stuck";
    }
  }

  /** All that is due in a region, however much it is. */
  async function sweepRegion(region: Region): Promise<number> {
    let moved = 0;
    // What cannot be moved on, or was by somebody else just now, must not keep the others waiting.
    let stuck = 0;
    for (;;) {
      const due = await records.reservations.due(region, now(), atOnce, stuck);
      for (let from = 0; from < due.length; from += together) {
        if (stopping.signal.aborted) return moved;
        for (const step of await Promise.all(due.slice(from, from + together).map(tryToMoveOn))) {
          if (typeof step === "object") throw step.storeFailure;
          if (step === "moved") moved += 1;
          if (step === "stuck") stuck += 1;
        }
      }
      if (due.length < atOnce) return moved;
    }
  }

  /** Whatever frees a place gives it to who waits for it. A gateway of an older version does not. */
  async function promoteIn(region: Region): Promise<void> {
    for (const siteId of await records.queues.sites(region)) {
      if (stopping.signal.aborted) return;
      try {
        await records.queues.promote(siteId, now());
      } catch (error) {
        // A queue that is broken must not keep the others waiting.
        if (isStoreFailure(error)) throw error;
        onError(error);
      }
    }
  }

  async function once(): Promise<number> {
    let moved = 0;
    for (const region of await records.events.regions()) {
      moved += await sweepRegion(region);
      await promoteIn(region);
    }
    return moved;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await once();
      } catch (error) {
        onError(error);
      }
      await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const ended = run();
  return {
    once,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
