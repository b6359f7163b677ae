import type { Region } from "@petak/protocol";
import { firstEntry, isAfter, type StreamEvent, type StreamLog } from "../events/event-log.ts";
import { sharedRuns } from "../runs/shared-runs.ts";
import type { EventItem, LogEnds } from "./log-ends.ts";
import { type LogName, logId, logsOf, logsOfParticipant } from "./log-reference.ts";
import type { LogStore } from "./log-store.ts";
import type { RegionProgress } from "./region-progress.ts";

/** Builds the participants' logs from the regions' streams. */
export interface LogBuilder {
  /**
   * Resolves when all that was recorded in a region before the call is in the logs of those whom it concerns. Anyone may build at any time, any
   * number at once, and die at any command: each event comes into each log once, in the region's order.
   *
   * @throws Error where a log could not be written: its server is away. The others go on.
   */
  build(region: Region): Promise<void>;
  /** Whether a participant's logs are among those for which {@link build} failed; true where nobody knows. */
  lacks(region: Region, participantId: string): boolean;
  /** The entry up to which a region's events are known to be in the logs. */
  builtUpTo(region: Region): string | undefined;
  /** Forgets what it knows: a server may have lost what it had. */
  forget(): void;
  /** Looks in each log for what the region's record says is there, and appends what is missing: a failover has lost it. */
  verify(region: Region): Promise<void>;
  /** Resolves when nothing is under way for what was built. */
  settled(): Promise<void>;
}

/** What building needs. */
export interface LogBuilderOptions {
  events: Pick<StreamLog, "readAfter">;
  logs: Pick<LogEnds, "append"> & Pick<LogStore, "position">;
  progress: RegionProgress;
  /**
   * Hears of an event that cannot be read, which is passed over: it must not keep the others from being logged; and why it could not be said how far
   * the logs are.
   */
  onError: (error: unknown) => void;
}

/** Events of one round: fewer than a chunk of a log holds. */
const roundMax = 200;

/** Entries read at once where a log is mended. */
const mendAtOnce = 200;

interface Share {
  log: LogName;
  items: EventItem[];
}

/** What is known of a region that nobody else has built since. */
interface Known {
  upTo: string;
  /** Name of a log → the last entry of the region that is said to be in it. */
  lasts: Map<string, string | undefined>;
}

/** What is known of a region of whose events some are in the logs of others, and cannot be brought into some logs. */
interface Stalled {
  /** The entry up to which the others have them. */
  after: string;
  /** Name of a log → why it failed. It is left alone until all is tried again: what comes later must not come into it before what came earlier. */
  failed: Map<string, unknown>;
  sinceMs: number;
}

/** How long logs that failed are left alone, in ms: meanwhile those of others go on, and nothing is read twice for them. */
const retryAllMs = 1000;

/** Makes a builder. */
export function createLogBuilder({ events, logs, progress, onError }: LogBuilderOptions): LogBuilder {
  const known = new Map<Region, Known>();
  const stalled = new Map<Region, Stalled>();
  const runs = new Map<Region, () => Promise<void>>();
  const marking = new Set<Promise<void>>();

  /** What each log is to have of some events. */
  function sharesOf(read: readonly StreamEvent[]): Share[] {
    const shares = new Map<string, Share>();
    for (const logged of read) {
      const { entry } = logged;
      try {
        const { outline } = logged;
        for (const log of logsOf(outline)) {
          const share = shares.get(logId(log)) ?? { log, items: [] };
          share.items.push({ entry, recordedMs: outline.recordedMs, logged });
          shares.set(logId(log), share);
        }
      } catch (error) {
        onError(error);
      }
    }
    return [...shares.values()];
  }

  /** Appends what is missing in one log up to an entry. */
  async function mend(log: LogName, region: Region, position: string | undefined, upTo: string): Promise<void> {
    let after = position ?? firstEntry;
    for (;;) {
      const read = await events.readAfter(region, after, mendAtOnce);
      const wanted = read.filter(({ entry }) => !isAfter(entry, upTo));
      const share = sharesOf(wanted).find((one) => logId(one.log) === logId(log));
      if (share !== undefined) await logs.append(log, region, undefined, share.items);
      const last = wanted.at(-1);
      if (last === undefined || wanted.length < mendAtOnce) return;
      after = last.entry;
    }
  }

  async function append({ log, items }: Share, region: Region, previous: string | undefined): Promise<void> {
    const outcome = await logs.append(log, region, previous, items);
    const last = items.at(-1);
    if (outcome.tag === "behind" && last !== undefined) await mend(log, region, outcome.position, last.entry);
  }

  /** The last entry that is said to be in each log: from memory, where nobody else has built the region since. */
  async function lastsOf(region: Region, upTo: string | undefined, shares: readonly Share[]): Promise<Known["lasts"]> {
    const own = known.get(region);
    const lasts = own !== undefined && own.upTo === upTo ? own.lasts : new Map<string, string | undefined>();
    const missing = shares.map(({ log }) => log).filter((log) => !lasts.has(logId(log)));
    const found = await progress.lastOf(region, missing);
    for (const [index, log] of missing.entries()) lasts.set(logId(log), found[index]);
    return lasts;
  }

  /** Appends what each log is to have, but for those that are known to fail; adds to these, and gives why. */
  async function appendAll(region: Region, shares: readonly Share[], lasts: Known["lasts"], failed: Map<string, unknown>): Promise<void> {
    const able = shares.filter(({ log }) => !failed.has(logId(log)));
    const results = await Promise.allSettled(able.map((share) => append(share, region, lasts.get(logId(share.log)))));
    for (const [index, { log }] of able.entries()) {
      const result = results[index];
      if (result?.status === "rejected") failed.set(logId(log), result.reason);
    }
  }

  /**
   * Says how far a region's events are in the logs, and nobody waits for it: they are there. Whoever builds next asks after it over the same connection,
   * and where it was not said finds that they are there.
   */
  function markInBackground(region: Region, upTo: string, marks: readonly { log: LogName; entry: string }[]): void {
    const done = progress
      .mark(region, upTo, marks)
      .catch(onError)
      .finally(() => marking.delete(done));
    marking.add(done);
  }

  async function buildAll(region: Region): Promise<void> {
    const before = stalled.get(region);
    const isTimeForAll = before === undefined || performance.now() - before.sinceMs >= retryAllMs;
    const sinceMs = isTimeForAll ? performance.now() : before.sinceMs;
    const failed = new Map(isTimeForAll ? [] : before.failed);
    let after = isTimeForAll ? undefined : before.after;
    for (;;) {
      const { upTo, events: read } = await progress.unlogged(region, roundMax, after);
      const last = read.at(-1);
      if (last === undefined) {
        if (upTo !== undefined && known.get(region)?.upTo !== upTo) known.set(region, { upTo, lasts: new Map() });
        break;
      }
      const isLastRound = read.length < roundMax;
      const shares = sharesOf(read);
      const lasts = await lastsOf(region, upTo, shares);
      await appendAll(region, shares, lasts, failed);
      if (failed.size === 0) {
        const marks = shares.map(({ log, items }) => ({ log, entry: (items.at(-1) as EventItem).entry }));
        if (isLastRound) markInBackground(region, last.entry, marks);
        // Where it fails, another round would read the same as this one, and so on.
        else await progress.mark(region, last.entry, marks);
        for (const { log, entry } of marks) lasts.set(logId(log), entry);
        known.set(region, { upTo: last.entry, lasts });
      } else {
        after = last.entry;
      }
      if (isLastRound) break;
    }
    stalled.delete(region);
    const [reason] = failed.values();
    if (after === undefined || failed.size === 0) return;
    stalled.set(region, { after, failed, sinceMs });
    throw reason;
  }

  return {
    build(region) {
      const run = runs.get(region) ?? sharedRuns(() => buildAll(region));
      runs.set(region, run);
      return run();
    },
    lacks(region, participantId) {
      const failed = stalled.get(region)?.failed;
      return failed === undefined || logsOfParticipant(participantId).some((log) => failed.has(logId(log)));
    },
    async settled() {
      await Promise.all(marking);
    },
    forget() {
      known.clear();
      stalled.clear();
    },
    builtUpTo: (region) => known.get(region)?.upTo,
    async verify(region) {
      const lasts = await progress.allLasts(region);
      await Promise.all(
        lasts.map(async ({ log, entry }) => {
          const position = await logs.position(log, region);
          if (position === undefined || isAfter(entry, position)) await mend(log, region, position, entry);
        }),
      );
    },
  };
}
