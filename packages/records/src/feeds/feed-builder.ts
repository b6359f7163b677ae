import type { Region } from "@petak/protocol";
import { coalescedRuns, type FeedName } from "@petak/redis";
import { firstEntry, isAfter } from "../encoding/stream-entry.ts";
import type { StoredEventStream } from "../events/event-stream.ts";
import { feedId, feedsOfParticipant } from "./event-reference.ts";
import { type Share, sharesOf } from "./feed-shares.ts";
import type { FeedStore } from "./feed-store.ts";
import type { EventItem, FeedTails } from "./feed-tails.ts";
import type { RegionProgress } from "./region-progress.ts";

/** Builds the participants' feeds from the regions' event streams. */
export interface FeedBuilder {
  /**
   * Resolves when every event that was recorded in a region before the call is in the feeds that it belongs to. Any number of gateways may build at the same
   * time and crash at any command: each event is appended to each feed once, in the region's order.
   *
   * @throws Error if a feed could not be written because its server is unreachable. The other feeds are built.
   */
  build(region: Region): Promise<void>;
  /**
   * Resolves when every event that was recorded in a region before the call is in the feeds that are followed here. The next {@link build}, of any gateway,
   * appends it to the others; the feed watermark is not advanced before.
   *
   * @throws Error if a feed could not be written.
   */
  buildFollowed(region: Region): Promise<void>;
  /** Whether {@link build} failed for a feed of a participant. True if that is not known. */
  lacks(region: Region, participantId: string): boolean;
  /** The entry up to which a region's events are known to be in all feeds. */
  builtUpTo(region: Region): string | undefined;
  /** Discards what is in memory: a server may have lost data. */
  clear(): void;
  /** Compares each feed with what the region's progress says it contains, and appends events that a failover has lost. */
  verify(region: Region): Promise<void>;
  /** Resolves when no feed watermark is being written any more. */
  settled(): Promise<void>;
}

/** The options of a builder. */
export interface FeedBuilderOptions {
  events: Pick<StoredEventStream, "readAfter">;
  /** Reads events that may be appended by now, without the feed watermark. Default: from `events`. */
  recorded?: Pick<StoredEventStream, "readAfter">;
  feeds: Pick<FeedTails, "append" | "isFollowed"> & Pick<FeedStore, "position">;
  progress: RegionProgress;
  /**
   * Called for an event that cannot be read, which is skipped so that it does not block the others, and for a failure to advance the feed watermark in the
   * background.
   */
  onError: (error: unknown) => void;
}

/** The most events of one round. Must be at most a feed chunk. */
const roundMax = 200;

/** Events read at once to repair a feed. */
const repairBatch = 200;

/**
 * The last entry of a region that each feed is known to contain, by feed id. Valid only together with the entry up to which events were appended: the stored
 * progress may be older, and appending after it would not detect that the feed has lost events since.
 */
type Lasts = Map<string, string | undefined>;

/** The state of a region after a complete build, as long as no other gateway builds it. */
interface Built {
  upTo: string;
  lasts: Lasts;
}

/** How far the feeds that are followed here are ahead of the feed watermark. */
interface Ahead {
  upTo: string;
  lasts: Lasts;
  /** Feeds that lack events up to there because they were not followed here, by feed id. */
  lacking: Map<string, FeedName>;
}

/** The state of a region after a build that failed for some feeds. */
interface Stalled {
  /** The entry up to which the other feeds have the events. */
  after: string;
  lasts: Lasts;
  /** Why each feed failed, by feed id. It gets nothing until all is tried again: later events must not be appended before earlier ones. */
  failed: Map<string, unknown>;
  sinceMs: number;
}

/** How long failed feeds are not tried again, in ms. Meanwhile the others are built without reading events twice. */
const retryAllMs = 1000;

/** Creates a builder. */
export function createFeedBuilder({ events, recorded = events, feeds, progress, onError }: FeedBuilderOptions): FeedBuilder {
  const built = new Map<Region, Built>();
  const ahead = new Map<Region, Ahead>();
  const stalled = new Map<Region, Stalled>();
  /** Regions for which a caller waits for all feeds. */
  const wanted = new Set<Region>();
  const runs = new Map<Region, () => Promise<void>>();
  const advancing = new Set<Promise<void>>();

  /** Appends the events up to an entry that a feed lacks after a position. */
  async function repair(feed: FeedName, region: Region, position: string | undefined, upTo: string): Promise<void> {
    let after = position ?? firstEntry;
    for (;;) {
      const read = await events.readAfter(region, after, repairBatch);
      const missing = read.filter(({ entry }) => !isAfter(entry, upTo));
      const share = sharesOf(missing, onError).find((one) => feedId(one.feed) === feedId(feed));
      if (share !== undefined) await feeds.append(feed, region, undefined, share.items);
      const last = missing.at(-1);
      if (last === undefined || missing.length < repairBatch) return;
      after = last.entry;
    }
  }

  async function append({ feed, items }: Share, region: Region, previous: string | undefined): Promise<void> {
    const outcome = await feeds.append(feed, region, previous, items);
    const last = items.at(-1);
    if (outcome.tag === "behind" && last !== undefined) await repair(feed, region, outcome.position, last.entry);
  }

  /** The last entry that each feed is known to contain: from memory if no other gateway has built the region since, else from the stored progress. */
  async function lastsOf(region: Region, upTo: string | undefined, shares: readonly Share[], here: Lasts): Promise<Lasts> {
    const own = built.get(region);
    const lasts: Lasts = own !== undefined && own.upTo === upTo ? own.lasts : new Map();
    await addStoredLasts(lasts, region, shares);
    for (const id of shares.map(({ feed }) => feedId(feed))) {
      const got = here.get(id);
      if (got !== undefined && isAfter(got, lasts.get(id) ?? firstEntry)) lasts.set(id, got);
    }
    return lasts;
  }

  /** Adds the stored progress of feeds that are not in `lasts`. */
  async function addStoredLasts(lasts: Lasts, region: Region, shares: readonly Share[]): Promise<void> {
    const missing = shares.map(({ feed }) => feed).filter((feed) => !lasts.has(feedId(feed)));
    const found = await progress.lastOf(region, missing);
    for (const [index, feed] of missing.entries()) lasts.set(feedId(feed), found[index]);
  }

  /** Appends its share to each feed that is not in `failed`. Adds feeds that fail to `failed`, and updates `lasts` for the others. */
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
   * Advances the feed watermark without making the caller wait: the events are in the feeds. The next build asks over the same connection, so after this write;
   * if the write fails, it finds the events in the feeds.
   */
  function advanceInBackground(region: Region, upTo: string, lasts: readonly { feed: FeedName; entry: string }[]): void {
    const done = progress
      .advance(region, upTo, lasts)
      .catch(onError)
      .finally(() => advancing.delete(done));
    advancing.add(done);
  }

  /** Appends new events to the feeds that are followed here. Returns false, and appends nothing, if all feeds must be built first. */
  async function appendFollowed(region: Region): Promise<boolean> {
    const own = ahead.get(region);
    if (own === undefined || stalled.has(region)) return false;
    const read = await recorded.readAfter(region, own.upTo, roundMax);
    const last = read.at(-1);
    if (read.length === roundMax || [...own.lacking.values()].some(feeds.isFollowed)) return false;
    if (last === undefined) return true;
    // Building all feeds reports events that cannot be read.
    const shares = sharesOf(read, () => undefined);
    const followed = shares.filter(({ feed }) => feeds.isFollowed(feed));
    for (const share of shares) if (!followed.includes(share)) own.lacking.set(feedId(share.feed), share.feed);
    await addStoredLasts(own.lasts, region, followed);
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
        if (upTo !== undefined && built.get(region)?.upTo !== upTo) built.set(region, { upTo, lasts: new Map() });
        break;
      }
      const isLastRound = read.length < roundMax;
      const shares = sharesOf(read, onError);
      const lasts = await lastsOf(region, upTo, shares, here);
      await appendAll(region, shares, lasts, failed);
      for (const id of shares.map(({ feed }) => feedId(feed))) if (!failed.has(id)) here.set(id, lasts.get(id));
      if (failed.size === 0) {
        const appended = shares.map(({ feed, items }) => ({ feed, entry: (items.at(-1) as EventItem).entry }));
        if (isLastRound) advanceInBackground(region, last.entry, appended);
        // The next round reads after the feed watermark, so it must have been advanced.
        else await progress.advance(region, last.entry, appended);
        built.set(region, { upTo: last.entry, lasts });
      } else {
        after = last.entry;
      }
      if (isLastRound) break;
    }
    stalled.delete(region);
    const [reason] = failed.values();
    if (after === undefined || failed.size === 0) {
      ahead.set(region, { upTo: end, lasts: here, lacking: new Map() });
      return;
    }
    stalled.set(region, { after, lasts: here, failed, sinceMs });
    throw reason;
  }

  /** Builds one region at a time: a feed must get a region's events in order. */
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
      await Promise.all(advancing);
    },
    clear() {
      built.clear();
      ahead.clear();
      stalled.clear();
    },
    builtUpTo: (region) => built.get(region)?.upTo,
    async verify(region) {
      const lasts = await progress.allLasts(region);
      await Promise.all(
        lasts.map(async ({ feed, entry }) => {
          const position = await feeds.position(feed, region);
          if (position === undefined || isAfter(entry, position)) await repair(feed, region, position, entry);
        }),
      );
    },
  };
}
