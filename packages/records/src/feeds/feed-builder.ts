import type { Region } from "@petak/protocol";
import { coalescedRuns, type FeedName } from "@petak/redis";
import { firstEntry, isAfter, type StreamFeed } from "../events/event-stream.ts";
import { feedId, feedsOfParticipant } from "./event-reference.ts";
import { type Share, sharesOf } from "./feed-shares.ts";
import type { FeedStore } from "./feed-store.ts";
import type { EventItem, FeedTails } from "./feed-tails.ts";
import type { RegionProgress } from "./region-progress.ts";

/** Builds the participants' feeds from the regions' streams. */
export interface FeedBuilder {
  /**
   * Resolves when all that was recorded in a region before the call is in the feeds of those whom it concerns. Anyone may build at any time, any
   * number at once, and die at any command: each event comes into each feed once, in the region's order.
   *
   * @throws Error where a feed could not be written: its server is away. The others go on.
   */
  build(region: Region): Promise<void>;
  /**
   * Resolves when all that was recorded in a region before the call is in the feeds that are followed here. To the others it may come later, by the next
   * {@link build}, of whichever process: nothing is said to be logged that is in some feeds only.
   *
   * @throws Error where a feed could not be written.
   */
  buildFollowed(region: Region): Promise<void>;
  /** Whether a participant's feeds are among those for which {@link build} failed; true where nobody knows. */
  lacks(region: Region, participantId: string): boolean;
  /** The entry up to which a region's events are known to be in the feeds. */
  builtUpTo(region: Region): string | undefined;
  /** Forgets what it knows: a server may have lost what it had. */
  forget(): void;
  /** Looks in each feed for what the region's record says is there, and appends what is missing: a failover has lost it. */
  verify(region: Region): Promise<void>;
  /** Resolves when nothing is under way for what was built. */
  settled(): Promise<void>;
}

/** What building needs. */
export interface FeedBuilderOptions {
  events: Pick<StreamFeed, "readAfter">;
  /** Reads what may be logged by now, where it need not be known how far the feeds are. Default: from `events`. */
  recorded?: Pick<StreamFeed, "readAfter">;
  feeds: Pick<FeedTails, "append" | "isFollowed"> & Pick<FeedStore, "position">;
  progress: RegionProgress;
  /**
   * Hears of an event that cannot be read, which is passed over: it must not keep the others from being logged; and why it could not be said how far
   * the feeds are.
   */
  onError: (error: unknown) => void;
}

/** Events of one round: fewer than a chunk of a feed holds. */
const roundMax = 200;

/** Entries read at once where a feed is mended. */
const mendAtOnce = 200;

/**
 * Name of a feed → the last entry of a region that is known to be in it. It goes with the entry up to which all was appended: whoever reads on from there and
 * asks what the region's record says of a feed, which is less, would not notice that the feed has lost what came between.
 */
type Lasts = Map<string, string | undefined>;

/** What is known of a region that nobody else has built since. */
interface Known {
  upTo: string;
  lasts: Lasts;
}

/** How far the feeds are that are followed here, which is said nowhere. */
interface Ahead {
  upTo: string;
  lasts: Lasts;
  /** Feeds to which something up to there is still to come, as nobody followed them here, by their names. */
  owed: Map<string, FeedName>;
}

/** What is known of a region of whose events some are in the feeds of others, and cannot be brought into some feeds. */
interface Stalled {
  /** The entry up to which the others have them. */
  after: string;
  lasts: Lasts;
  /** Name of a feed → why it failed. It is left alone until all is tried again: what comes later must not come into it before what came earlier. */
  failed: Map<string, unknown>;
  sinceMs: number;
}

/** How long feeds that failed are left alone, in ms: meanwhile those of others go on, and nothing is read twice for them. */
const retryAllMs = 1000;

/** Makes a builder. */
export function createFeedBuilder({ events, recorded = events, feeds, progress, onError }: FeedBuilderOptions): FeedBuilder {
  const known = new Map<Region, Known>();
  const ahead = new Map<Region, Ahead>();
  const stalled = new Map<Region, Stalled>();
  /** Regions of which somebody waits for all feeds. */
  const wanted = new Set<Region>();
  const runs = new Map<Region, () => Promise<void>>();
  const marking = new Set<Promise<void>>();

  /** Appends what is missing in one feed up to an entry. */
  async function mend(feed: FeedName, region: Region, position: string | undefined, upTo: string): Promise<void> {
    let after = position ?? firstEntry;
    for (;;) {
      const read = await events.readAfter(region, after, mendAtOnce);
      const missing = read.filter(({ entry }) => !isAfter(entry, upTo));
      const share = sharesOf(missing, onError).find((one) => feedId(one.feed) === feedId(feed));
      if (share !== undefined) await feeds.append(feed, region, undefined, share.items);
      const last = missing.at(-1);
      if (last === undefined || missing.length < mendAtOnce) return;
      after = last.entry;
    }
  }

  async function append({ feed, items }: Share, region: Region, previous: string | undefined): Promise<void> {
    const outcome = await feeds.append(feed, region, previous, items);
    const last = items.at(-1);
    if (outcome.tag === "behind" && last !== undefined) await mend(feed, region, outcome.position, last.entry);
  }

  /** The last entry that is said to be in each feed, or that it got here behind that: from memory, where nobody else has built the region since. */
  async function lastsOf(region: Region, upTo: string | undefined, shares: readonly Share[], here: Lasts): Promise<Lasts> {
    const own = known.get(region);
    const lasts: Lasts = own !== undefined && own.upTo === upTo ? own.lasts : new Map();
    await complete(lasts, region, shares);
    for (const id of shares.map(({ feed }) => feedId(feed))) {
      const got = here.get(id);
      if (got !== undefined && isAfter(got, lasts.get(id) ?? firstEntry)) lasts.set(id, got);
    }
    return lasts;
  }

  /** Adds what the region's record says is in feeds of which nothing is known. */
  async function complete(lasts: Lasts, region: Region, shares: readonly Share[]): Promise<void> {
    const missing = shares.map(({ feed }) => feed).filter((feed) => !lasts.has(feedId(feed)));
    const found = await progress.lastOf(region, missing);
    for (const [index, feed] of missing.entries()) lasts.set(feedId(feed), found[index]);
  }

  /** Appends what each feed is to have, but for those that are known to fail; adds to these, and gives why. What the others have is in `lasts` then. */
  async function appendAll(region: Region, shares: readonly Share[], lasts: Lasts, failed: Map<string, unknown>): Promise<void> {
    const able = shares.filter(({ feed }) => !failed.has(feedId(feed)));
    const results = await Promise.allSettled(able.map((share) => append(share, region, lasts.get(feedId(share.feed)))));
    for (const [index, { feed, items }] of able.entries()) {
      const result = results[index];
      if (result?.status === "rejected") failed.set(feedId(feed), result.reason);
      else lasts.set(feedId(feed), items.at(-1)?.entry);
    }
  }

  /**
   * Says how far a region's events are in the feeds, and nobody waits for it: they are there. Whoever builds next asks after it over the same connection,
   * and where it was not said finds that they are there.
   */
  function markInBackground(region: Region, upTo: string, marks: readonly { feed: FeedName; entry: string }[]): void {
    const done = progress
      .mark(region, upTo, marks)
      .catch(onError)
      .finally(() => marking.delete(done));
    marking.add(done);
  }

  /** Appends what has come to the feeds that are followed here. False where that is not to be done before the others have theirs. */
  async function appendFollowed(region: Region): Promise<boolean> {
    const own = ahead.get(region);
    if (own === undefined || stalled.has(region)) return false;
    const read = await recorded.readAfter(region, own.upTo, roundMax);
    const last = read.at(-1);
    if (read.length === roundMax || [...own.owed.values()].some(feeds.isFollowed)) return false;
    if (last === undefined) return true;
    // Who builds for all tells of what cannot be read.
    const shares = sharesOf(read, () => undefined);
    const followed = shares.filter(({ feed }) => feeds.isFollowed(feed));
    for (const share of shares) if (!followed.includes(share)) own.owed.set(feedId(share.feed), share.feed);
    await complete(own.lasts, region, followed);
    const failed = new Map<string, unknown>();
    await appendAll(region, followed, own.lasts, failed);
    const [reason] = failed.values();
    if (failed.size > 0) {
      ahead.delete(region);
      throw reason;
    }
    own.upTo = last.entry;
    return true;
  }

  async function buildAll(region: Region): Promise<void> {
    ahead.delete(region);
    const before = stalled.get(region);
    const isTimeForAll = before === undefined || performance.now() - before.sinceMs >= retryAllMs;
    const sinceMs = isTimeForAll ? performance.now() : before.sinceMs;
    const failed = new Map(isTimeForAll ? [] : before.failed);
    let after = isTimeForAll ? undefined : before.after;
    let end = firstEntry;
    const here: Lasts = new Map(isTimeForAll ? [] : before.lasts);
    for (;;) {
      const { upTo, events: read } = await progress.pending(region, roundMax, after);
      const last = read.at(-1);
      end = last?.entry ?? upTo ?? firstEntry;
      if (last === undefined) {
        if (upTo !== undefined && known.get(region)?.upTo !== upTo) known.set(region, { upTo, lasts: new Map() });
        break;
      }
      const isLastRound = read.length < roundMax;
      const shares = sharesOf(read, onError);
      const lasts = await lastsOf(region, upTo, shares, here);
      await appendAll(region, shares, lasts, failed);
      for (const id of shares.map(({ feed }) => feedId(feed))) if (!failed.has(id)) here.set(id, lasts.get(id));
      if (failed.size === 0) {
        const marks = shares.map(({ feed, items }) => ({ feed, entry: (items.at(-1) as EventItem).entry }));
        if (isLastRound) markInBackground(region, last.entry, marks);
        // Where it fails, another round would read the same as this one, and so on.
        else await progress.mark(region, last.entry, marks);
        known.set(region, { upTo: last.entry, lasts });
      } else {
        after = last.entry;
      }
      if (isLastRound) break;
    }
    stalled.delete(region);
    const [reason] = failed.values();
    if (after === undefined || failed.size === 0) {
      ahead.set(region, { upTo: end, lasts: here, owed: new Map() });
      return;
    }
    stalled.set(region, { after, lasts: here, failed, sinceMs });
    throw reason;
  }

  /** One at a time in a region: what is appended to a feed must come behind all that came before it. */
  function run(region: Region): Promise<void> {
    const shared =
      runs.get(region) ??
      coalescedRuns(async () => {
        if (wanted.delete(region) || !(await appendFollowed(region))) await buildAll(region);
      });
    runs.set(region, shared);
    return shared();
  }

  return {
    build(region) {
      wanted.add(region);
      return run(region);
    },
    buildFollowed: run,
    lacks(region, participantId) {
      const failed = stalled.get(region)?.failed;
      return failed === undefined || feedsOfParticipant(participantId).some((feed) => failed.has(feedId(feed)));
    },
    async settled() {
      await Promise.all(marking);
    },
    forget() {
      known.clear();
      ahead.clear();
      stalled.clear();
    },
    builtUpTo: (region) => known.get(region)?.upTo,
    async verify(region) {
      const lasts = await progress.allLasts(region);
      await Promise.all(
        lasts.map(async ({ feed, entry }) => {
          const position = await feeds.position(feed, region);
          if (position === undefined || isAfter(entry, position)) await mend(feed, region, position, entry);
        }),
      );
    },
  };
}
