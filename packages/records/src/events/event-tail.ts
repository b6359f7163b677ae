import type { Region } from "@petak/protocol";
import type { Keys, SiteIds } from "@petak/redis";
import { coalescedRuns, dropUnresponsive, type FeedName, isCommandTimeout, pingAll, type RedisConnection } from "@petak/redis";
import { createFeedSubscribers, type FeedSubscription } from "../feeds/feed-subscribers.ts";
import { outlineOf } from "./event-outline.ts";
import { createEventStream, firstEntry, isAfter } from "./event-stream.ts";
import { publishedEvents } from "./published-events.ts";
import { createSlotChannels } from "./slot-channels.ts";

/** Tells when the regions' records and the participants' feeds have grown, so that nobody has to poll. */
export interface EventTail {
  /**
   * Resolves when {@link EventTailOptions.onGrown} has been told of everything that was recorded before the call, by whomever. Costs one
   * command to each server, as long as nothing is wrong.
   *
   * @throws Error where a server cannot be reached.
   */
  catchUp(): Promise<void>;
  /** Begins to follow a feed. */
  subscribe(feed: FeedName): FeedSubscription;
  /** Tells those who follow a feed that it has come to a number, by whoever appended it: mostly before it is heard. */
  tellAppended(feed: FeedName, number: number): void;
  /** Resolves when reading has ended. */
  stop(): Promise<void>;
}

/** The longest that a new region, or a slot that has moved to another server, goes unnoticed, in ms. */
const roundMs = 500;

/** What a tail needs. */
export interface EventTailOptions {
  /** Makes the connection of its own over which it hears. */
  connect: () => RedisConnection;
  keys: Keys;
  siteIds: SiteIds;
  /** Hears that a region has an entry, and which participants it concerns; of what went unheard, nobody knows. */
  onGrown: (region: Region, entry: string, concerned: ReadonlySet<string> | "everyone") => void;
  /** Hears that what was told may be there no more: a connection was lost. What there is then is told anew. Default: nothing. */
  onBroken?: () => void;
  onError: (error: unknown) => void;
  /**
   * How often the ends of all streams are looked at, in ms; default 5000. Publishing promises nothing, and a server may forbid it to its users;
   * this is how late an event is noticed then.
   */
  lookAtAllMs?: number;
}

/**
 * Hears of every event as its script publishes it, through a connection of its own. Where a connection was lost it looks at the ends of the
 * streams for what it missed. A connection on which a command times out is dropped for a new one: a peer that went away without a word
 * would otherwise never be noticed.
 */
export function createEventTail({
  connect,
  keys,
  siteIds,
  onGrown,
  onBroken = () => undefined,
  onError,
  lookAtAllMs = 5000,
}: EventTailOptions): EventTail {
  const connection = connect();
  const feed = createEventStream(connection, keys, siteIds);
  const subscribers = createFeedSubscribers();
  const stopping = new AbortController();
  /** The regions by the channels of their events. */
  const regions = new Map<string, Region>();
  /** The last entry of each region that was told of. */
  const places = new Map<Region, string>();
  /** Regions whose end has been looked at. */
  const seen = new Set<Region>();
  let lookAtAllAtMs = 0;
  /** Counts what may have gone unheard, and up to where it was looked for. */
  let broken = 0;
  let mended = -1;
  /** Whether the server forbids to publish. */
  let isMute = false;
  /** Why, at the last look, what was not listened to was not, and why what was not looked at was not. */
  let noticed: { deaf: unknown[]; blind: unknown[] } = { deaf: [], blind: [] };

  const channels = createSlotChannels(connection, {
    onMessage(channel, message) {
      const region = regions.get(channel);
      if (region === undefined) {
        if (message.length >= 6) subscribers.tell(channel, message.readUIntLE(0, 6));
        return;
      }
      for (const { entry, bytes } of publishedEvents(message)) {
        if (!isAfter(entry, places.get(region) ?? firstEntry)) continue;
        places.set(region, entry);
        onGrown(region, entry, concerned(bytes));
      }
    },
    onBroken() {
      broken++;
      // Whoever was away may have lost the end of what it had.
      places.clear();
      seen.clear();
      onBroken();
    },
  });

  /** After a command that got no answer in time, those behind it shall not wait as long, one after another. */
  function dropIfSilent(error: unknown): void {
    if (isCommandTimeout(error)) dropUnresponsive(connection);
  }

  /** Tells of a region that is new, or has grown unheard: whom it concerns was not heard either. */
  async function lookAtEnd(region: Region): Promise<void> {
    const entry = await feed.lastEntry(region);
    const told = places.get(region) ?? firstEntry;
    if (seen.has(region) && !isAfter(entry, told)) return;
    seen.add(region);
    const newest = isAfter(entry, told) ? entry : told;
    places.set(region, newest);
    if (newest !== firstEntry) onGrown(region, newest, "everyone");
  }

  async function lookAtFeed(channel: string): Promise<void> {
    subscribers.tell(channel, Number((await connection.hget(channel, "n")) ?? 0));
  }

  async function look(channel: string): Promise<void> {
    const region = regions.get(channel);
    await (region === undefined ? lookAtFeed(channel) : lookAtEnd(region));
  }

  /** A user who may not publish is heard by nobody. A message without an event says nothing to those who listen. */
  async function tryToPublish(channel: string): Promise<void> {
    isMute = await connection.spublish(channel, "").then(
      () => false,
      (error: unknown) => {
        if (error instanceof Error && error.message.startsWith("NOPERM")) return true;
        throw error;
      },
    );
  }

  /**
   * Notices new regions, listens to all, and looks at what may have grown unheard, and from time to time at all. A server that is away must not keep
   * the others from being heard.
   */
  const notice = coalescedRuns(async () => {
    const isTimeForAll = performance.now() >= lookAtAllAtMs;
    if (isTimeForAll) lookAtAllAtMs = performance.now() + lookAtAllMs;
    const blind: unknown[] = [];
    const keepFailure = (error: unknown) => {
      blind.push(error);
      dropIfSilent(error);
    };
    const brokenBefore = broken;
    for (const region of (await feed.regions().catch(keepFailure)) ?? []) regions.set(keys.events(region), region);
    const wanted = [...regions.keys(), ...subscribers.feeds.keys()];
    const { begun, missing, failures } = await channels.listen(wanted);
    if (begun[0] !== undefined) await tryToPublish(begun[0]).catch(keepFailure);
    const toLookAt = isTimeForAll || isMute ? wanted : [...begun, ...missing];
    await Promise.all(toLookAt.map((channel) => look(channel).catch(keepFailure)));
    if (missing.length === 0 && blind.length === 0 && !isMute) mended = brokenBefore;
    failures.forEach(dropIfSilent);
    noticed = { deaf: failures, blind };
  });

  async function round(): Promise<void> {
    try {
      await connected;
      await Promise.all([notice(), pingAll(connection)]);
      const [failure] = [...noticed.blind, ...noticed.deaf];
      if (failure !== undefined) throw failure;
    } catch (error) {
      if (stopping.signal.aborted) return;
      onError(error);
      dropIfSilent(error);
    }
  }

  let wake = () => {};
  connection.on("ready", () => wake());
  const sleep = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, roundMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      await round();
      if (!stopping.signal.aborted) await sleep();
    }
  }

  const connected = connection.connect().catch((error: unknown) => {
    if (!stopping.signal.aborted) onError(error);
  });
  const ended = follow();
  return {
    async catchUp() {
      await connected;
      const [count] = await Promise.all([connection.scard(keys.regions()), pingAll(connection)]).catch((error: unknown) => {
        dropIfSilent(error);
        throw error;
      });
      if (count === regions.size && mended === broken) return;
      await notice();
      const [failure] = noticed.blind;
      if (failure !== undefined) throw failure;
    },
    subscribe(name) {
      const channel = keys.feedHead(name);
      const subscription = subscribers.add(channel, name);
      // Where it fails, the next round tries again.
      channels
        .listen([channel])
        .then(() => lookAtFeed(channel))
        .catch(() => undefined);
      return subscription;
    },
    tellAppended: (name, number) => subscribers.tellAppended(keys.feedHead(name), number),
    async stop() {
      stopping.abort();
      connection.disconnect();
      wake();
      await ended;
    },
  };
}

/** Whom an event concerns: the participant that made the reservation and the one that runs the site. */
function concerned(bytes: Buffer): Set<string> | "everyone" {
  try {
    const { participantId, operatorId } = outlineOf(bytes);
    return new Set([participantId, operatorId]);
  } catch {
    // Whoever reads it is told of the defect. Here one bad entry must not keep the others from being noticed.
    return "everyone";
  }
}
