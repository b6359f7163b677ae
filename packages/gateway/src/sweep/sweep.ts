import { setTimeout as pause } from "node:timers/promises";
import { hasEnded, isDue, nothingDue, passDeadline, type Transition } from "@petak/lifecycle";
import type { Region } from "@petak/protocol";
import { endedSite, type Records, type Release, type TermsBook } from "@petak/records";
import { isStoreFailure } from "@petak/redis";
import { tellSiteChanges } from "./tell-site-changes.ts";

export interface SweepOptions {
  records: Records;
  termsBook: Pick<TermsBook, "of">;
  now: () => number;
  /** Pause between two rounds, in ms. */
  intervalMs: number;
  onError: (error: unknown) => void;
  /** Called when a round has applied all deadlines that it found. */
  onRound?: () => void;
  /** Deletes an ended reservation that is in the archive. Default: nothing is archived. */
  release?: Release;
  /** Ends what else has passed its deadline, once in each round. Default: nothing. */
  endOthers?: () => Promise<void>;
}

/**
 * Applies passed deadlines to reservations: of holds, deposits, collections and queues. Also promotes queued reservations where a place is free, ends pauses of
 * sites' intake, tells live reservations of changes of their sites, and ends sites that were retired long ago.
 */
export interface Sweep {
  /** Sweeps all regions once. Returns the number of reservations whose deadline was applied. */
  once(): Promise<number>;
  /** Resolves when the current round has ended. */
  stop(): Promise<void>;
}

/** Delay of the next attempt to release a reservation if the archive cannot be read, in ms. */
const releaseRetryMs = 3_600_000;

/** Due reservations of one region that are read at a time. */
const pageSize = 200;

/** Telling takes a quarter of the time at most: each pass reads a region's deadlines, and operators decide how often sites change. */
const tellingRests = 3;

/** Reservations that are changed concurrently: as many as the store combines into one step, so that thousands of holds expire within a second. */
const concurrency = 32;

/**
 * Outcome for one reservation from the index of deadlines:
 *
 * - `applied`: its deadline was applied.
 * - `settled`: nothing is due, or not yet. The index is up to date.
 * - `overtaken`: it was changed concurrently. Whoever did that has mostly taken it from the index, or moved it there.
 * - `failed`: it could not be changed. It stays in the index, and the next round reads it again.
 */
type Step = "applied" | "settled" | "overtaken" | "failed";

/** A round over one region. */
interface RegionRound {
  applied: number;
  /** Ids by their outcome. */
  readonly failed: Set<string>;
  readonly overtaken: Set<string>;
}

/** A failure of the store, which ends the round. */
interface StoreFailed {
  readonly storeFailure: unknown;
}

/**
 * Starts sweeping. Several gateways may sweep concurrently: the first to write a change applies it, and the others skip the reservation.
 *
 * Transitions are written directly and not by the changes of requests: they have no caller, no idempotency key and no hand-over that needs a receipt. A
 * conflict is not retried at once: whoever changed the reservation has mostly also set its next deadline. If it is still due, the round finds it once more.
 */
export function startSweep({
  records,
  termsBook,
  now,
  intervalMs,
  onError,
  onRound,
  release = async () => "kept",
  endOthers,
}: SweepOptions): Sweep {
  const stopping = new AbortController();

  async function sweepOne(reservationId: string): Promise<Step> {
    const before = await records.reservations.find(reservationId);
    if (before === undefined) return "overtaken";
    const site = (await records.sites.filed(before.siteId)) ?? endedSite(before.siteId);
    const nowMs = now();
    const write = async (transition: Transition) => (await records.reservations.apply({ ...transition, site })).tag === "done";
    if (isDue(before, nowMs)) {
      const terms = await termsBook.of(before);
      return (await write(passDeadline(before, { terms, site: site.site }, nowMs))) ? "applied" : "overtaken";
    }
    // Nothing is due: it has ended, or was changed after it was listed.
    const outcome = hasEnded(before) ? await release(before) : "kept";
    if (outcome === "released") return "settled";
    const transition = nothingDue(before, nowMs, outcome === "later" ? nowMs + releaseRetryMs : undefined);
    return (await write(transition)) ? "settled" : "overtaken";
  }

  /** {@link sweepOne} without throwing: the others of its batch continue. */
  async function trySweepOne(reservationId: string): Promise<Step | StoreFailed> {
    try {
      return await sweepOne(reservationId);
    } catch (error) {
      if (isStoreFailure(error)) return { storeFailure: error };
      onError(error);
      return "failed";
    }
  }

  /** Applies all passed deadlines of a region. */
  async function sweepRegion(region: Region): Promise<number> {
    const round: RegionRound = { applied: 0, failed: new Set(), overtaken: new Set() };
    let known: number;
    do {
      known = round.overtaken.size;
      await sweepPages(region, round);
      // Most of those have left the index, so that the offset has leapt over as many others. Two gateways in step share the work by this.
    } while (round.overtaken.size > known && !stopping.signal.aborted);
    return round.applied;
  }

  async function sweepPages(region: Region, round: RegionRound): Promise<void> {
    // Reservations that stay in the index must not block the others.
    let skipped = 0;
    for (;;) {
      const due = await records.reservations.due(region, now(), pageSize, skipped);
      const untried = due.filter((id) => !round.failed.has(id));
      skipped += due.length - untried.length;
      for (let from = 0; from < untried.length; from += concurrency) {
        if (stopping.signal.aborted) return;
        const batch = untried.slice(from, from + concurrency);
        const steps = await Promise.all(batch.map(trySweepOne));
        for (const [index, step] of steps.entries()) {
          if (typeof step === "object") throw step.storeFailure;
          if (step === "applied") round.applied += 1;
          if (step === "applied" || step === "settled") continue;
          skipped += 1;
          round[step].add(batch[index] ?? "");
        }
      }
      if (due.length < pageSize) return;
    }
  }

  /** Scripts that free a place promote the head of the queue, except those of older versions, so that free places are checked here too. */
  async function promoteIn(region: Region): Promise<void> {
    for (const siteId of await records.queues.sites(region)) {
      if (stopping.signal.aborted) return;
      try {
        await records.queues.promote(siteId, now());
      } catch (error) {
        // A broken queue must not block the others.
        if (isStoreFailure(error)) throw error;
        onError(error);
      }
    }
  }

  /** Offers the sites of a region again whose intake was paused until now. One that cannot be offered must not block the others. */
  async function endPausesIn(region: Region): Promise<void> {
    try {
      await records.sitePauses.end(region, now());
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      onError(error);
    }
  }

  /**
   * Tells reservations of changes of their sites, and ends sites that were retired long ago. A site that cannot be told of must not block the others; the next
   * round tries again.
   */
  async function tellIn(region: Region): Promise<void> {
    try {
      await tellSiteChanges({ records, now, signal: stopping.signal, onError }, region);
      await records.retiredSites.end(region, now(), stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (isStoreFailure(error)) throw error;
      onError(error);
    }
  }

  async function once(): Promise<number> {
    let applied = 0;
    await endOthers?.();
    for (const region of await records.events.regions()) {
      applied += await sweepRegion(region);
      await promoteIn(region);
      await endPausesIn(region);
    }
    return applied;
  }

  async function round(): Promise<void> {
    await once();
    onRound?.();
  }

  async function tellAll(): Promise<void> {
    for (const region of await records.events.regions()) await tellIn(region);
  }

  /** @param rests how many times as long as the task takes it rests after it, at least */
  async function repeat(task: () => Promise<void>, rests: number): Promise<void> {
    while (!stopping.signal.aborted) {
      const beganMs = performance.now();
      try {
        await task();
      } catch (error) {
        onError(error);
      }
      await pause(Math.max(intervalMs, rests * (performance.now() - beganMs)), undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
    }
  }

  // Apart, so that a site with thousands of reservations does not delay the deadlines of others.
  const ended = Promise.all([repeat(round, 0), repeat(tellAll, tellingRests)]);
  return {
    once,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
