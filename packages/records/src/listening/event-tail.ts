import type { Region } from "@petak/protocol";
import type { Keys, SiteIds } from "@petak/redis";
import { coalescedRuns, dropUnresponsive, type FeedName, isCommandTimeout, pingAll, type RedisConnection } from "@petak/redis";
import { firstEntry, isAfter } from "../encoding/stream-entry.ts";
import { outlineOf } from "../events/event-outline.ts";
import { createEventStream } from "../events/event-stream.ts";
import { createFeedSubscribers, type FeedSubscription } from "./feed-subscribers.ts";
import { publishedEvents } from "./published-events.ts";
import { createSlotChannels } from "./slot-channels.ts";

/** Reports the growth of event streams and feeds, so that nobody has to poll. */
export interface EventTail {
  /**
   * Resolves when {@link EventTailOptions.onGrown} has been called for every event that was recorded before this call, by any gateway. Normally costs one
   * command to each server.
   *
   * @throws Error if a server is unreachable.
   */
  catchUp(): Promise<void>;
  /** Subscribes to a feed. */
  subscribe(feed: FeedName): FeedSubscription;
  /** Reports a number that this gateway appended to a feed, usually before the server's message arrives. */
  reportAppended(feed: FeedName, number: number): void;
  /** Stops, and resolves when nothing is in progress any more. */
  stop(): Promise<void>;
}

/** The interval at which new regions and moved slots are detected, in ms. */
const roundMs = 500;

/** The options of an event tail. */
export interface EventTailOptions {
  /** Creates the tail's own connection. */
  connect: () => RedisConnection;
  keys: Keys;
  siteIds: SiteIds;
  /** Called with a region's new entry and the participants that it concerns: `everyone` if that is not known. */
  onGrown: (region: Region, entry: string, concerned: ReadonlySet<string> | "everyone") => void;
  /** Called when a connection was lost, so that reported entries may not exist any more. The current last entries are reported again. Default: nothing. */
  onBroken?: () => void;
  onError: (error: unknown) => void;
  /**
   * How often the last entries of all streams are polled, in ms. Default 5000. Published messages may be lost, and a server may deny publishing to its
   * users; this is how late an event is detected then.
   */
  pollAllMs?: number;
}

/**
 * Receives every event that a script publishes, over its own connection. After a lost connection it polls the last entries of the streams for missed events. A
 * connection on which a command times out is replaced: a peer that disappeared without closing it would otherwise never be detected.
 */
export function createEventTail({
  connect,
  keys,
  siteIds,
  onGrown,
  onBroken = () => undefined,
  onError,
  pollAllMs = 5000,
}: EventTailOptions): EventTail {
  const connection = connect();
  const stream = createEventStream(connection, keys, siteIds);
  const subscribers = createFeedSubscribers();
  const stopping = new AbortController();
  /** Regions by the channels of their events. */
  const regions = new Map<string, Region>();
  /** The last entry that was reported of each region. */
  const lastEntries = new Map<Region, string>();
  /** Regions to which it is subscribed and whose last entry has been polled since: every event there is reported. */
  const polled = new Set<Region>();
  let pollAllAtMs = 0;
  /** The number of interruptions after which events may have been missed, and the number after which all was polled; -1 while some channel is not received. */
  let interruptions = 0;
  let polledInterruptions = -1;
  /** Whether the server denies publishing to this user. */
  let isPublishingDenied = false;
  /** The errors of the last round. */
  let lastErrors: { subscribing: unknown[]; polling: unknown[] } = { subscribing: [], polling: [] };

  const channels = createSlotChannels(connection, {
    onMessage(channel, message) {
      const region = regions.get(channel);
      if (region === undefined) {
        if (message.length >= 6) subscribers.setLast(channel, message.readUIntLE(0, 6));
        return;
      }
      for (const { entry, bytes } of publishedEvents(message)) {
        if (!isAfter(entry, lastEntries.get(region) ?? firstEntry)) continue;
        lastEntries.set(region, entry);
        onGrown(region, entry, concerned(bytes));
      }
    },
    onBroken() {
      interruptions++;
      // The server may have lost the last entries.
      lastEntries.clear();
      polled.clear();
      onBroken();
    },
  });

  /** Drops the connection after a command timeout, so that the commands queued behind it do not each wait as long. */
  function dropIfUnresponsive(error: unknown): void {
    if (isCommandTimeout(error)) dropUnresponsive(connection);
  }

  /** Reports the last entry of a region that is new or has grown without a message. */
  async function pollRegion(region: Region): Promise<void> {
    const entry = await stream.lastEntry(region);
    const reported = lastEntries.get(region) ?? firstEntry;
    if (polled.has(region) && !isAfter(entry, reported)) return;
    polled.add(region);
    const newest = isAfter(entry, reported) ? entry : reported;
    lastEntries.set(region, newest);
    if (newest !== firstEntry) onGrown(region, newest, "everyone");
  }

  async function pollFeed(channel: string): Promise<void> {
    subscribers.setLast(channel, Number((await connection.hget(channel, "n")) ?? 0));
  }

  async function poll(channel: string): Promise<void> {
    const region = regions.get(channel);
    await (region === undefined ? pollFeed(channel) : pollRegion(region));
  }

  /** Finds out whether this user may publish. Receivers ignore a message without an event. */
  async function tryToPublish(channel: string): Promise<void> {
    isPublishingDenied = await connection.spublish(channel, "").then(
      () => false,
      (error: unknown) => {
        if (error instanceof Error && error.message.startsWith("NOPERM")) return true;
        throw error;
      },
    );
  }

  /**
   * Detects new regions, subscribes to all channels, and polls those that may have grown without a message; every {@link EventTailOptions.pollAllMs} it polls
   * all. An unreachable server must not prevent events of the others from being received.
   */
  const synchronize = coalescedRuns(async () => {
    const isTimeForAll = performance.now() >= pollAllAtMs;
    if (isTimeForAll) pollAllAtMs = performance.now() + pollAllMs;
    const errors: unknown[] = [];
    const collectError = (error: unknown) => {
      errors.push(error);
      dropIfUnresponsive(error);
    };
    const interruptionsBefore = interruptions;
    for (const region of (await stream.regions().catch(collectError)) ?? []) regions.set(keys.events(region), region);
    const wanted = [...regions.keys(), ...subscribers.feeds.keys()];
    const { begun, missing, failures } = await channels.listen(wanted);
    if (begun[0] !== undefined) await tryToPublish(begun[0]).catch(collectError);
    const unpolled = [...regions].flatMap(([channel, region]) => (polled.has(region) ? [] : [channel]));
    const toPoll = isTimeForAll || isPublishingDenied ? wanted : new Set([...begun, ...missing, ...unpolled]);
    await Promise.all([...toPoll].map((channel) => poll(channel).catch(collectError)));
    polledInterruptions = missing.length === 0 && errors.length === 0 && !isPublishingDenied ? interruptionsBefore : -1;
    failures.forEach(dropIfUnresponsive);
    lastErrors = { subscribing: failures, polling: errors };
  });

  async function round(): Promise<void> {
    try {
      await connected;
      await Promise.all([synchronize(), pingAll(connection)]);
      const [failure] = [...lastErrors.polling, ...lastErrors.subscribing];
      if (failure !== undefined) throw failure;
    } catch (error) {
      if (stopping.signal.aborted) return;
      onError(error);
      dropIfUnresponsive(error);
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
        dropIfUnresponsive(error);
        throw error;
      });
      // A region may be known and not yet polled.
      if (count === polled.size && polledInterruptions === interruptions) return;
      await synchronize();
      const [failure] = lastErrors.polling;
      if (failure !== undefined) throw failure;
    },
    subscribe(name) {
      const channel = keys.feedHead(name);
      const subscription = subscribers.add(channel, name);
      // If it fails, the next round tries again.
      channels
        .listen([channel])
        .then(() => pollFeed(channel))
        .catch(() => undefined);
      return subscription;
    },
    reportAppended: (name, number) => subscribers.reportAppended(keys.feedHead(name), number),
    async stop() {
      stopping.abort();
      connection.disconnect();
      wake();
      await ended;
    },
  };
}

/** The participants that an event concerns: the one that made the reservation and the site's operator. */
function concerned(bytes: Buffer): Set<string> | "everyone" {
  try {
    const { participantId, operatorId } = outlineOf(bytes);
    return new Set([participantId, operatorId]);
  } catch {
    // Its reader gets the error. Here one invalid entry must not prevent the others from being reported.
    return "everyone";
  }
}
