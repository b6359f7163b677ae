import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema, type Region } from "@petak/protocol";
import { dropSilent, pingAll, type RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";
import { createEventLog, firstEntry, isAfter } from "./event-log.ts";
import { createRegionChannels } from "./region-channels.ts";
import { createSubscribers, type EventSubscription } from "./subscribers.ts";

/** Tells when the regions' records have grown, so that nobody has to poll. */
export interface EventTail {
  /** Begins to follow, for one participant, what happens from now on. Read the records once after this, then only what it says. */
  subscribe(participantId: string): EventSubscription;
  /** Resolves when reading has ended. */
  stop(): Promise<void>;
}

/** The longest that a new region, or a slot that has moved to another server, goes unnoticed, in ms. */
const roundMs = 500;

/** What may be different about a tail. */
export interface EventTailOptions {
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
export function createEventTail(
  connect: () => RedisConnection,
  keys: Keys,
  onError: (error: unknown) => void,
  { lookAtAllMs = 5000 }: EventTailOptions = {},
): EventTail {
  const connection = connect();
  const log = createEventLog(connection, keys);
  const subscribers = createSubscribers();
  const stopping = new AbortController();
  const regions = new Set<Region>();
  /** The last entry of each region that was told of. */
  const places = new Map<Region, string>();
  /** Regions whose end has been looked at. */
  const seen = new Set<Region>();
  let lookAtAllAtMs = 0;

  const channels = createRegionChannels(connection, keys, (region, entry, event) => {
    if (!isAfter(entry, places.get(region) ?? firstEntry)) return;
    places.set(region, entry);
    subscribers.tell(region, entry, subscribers.size === 0 ? new Set() : concerned(event));
  });

  /** Tells everyone of a region that is new, or has grown unheard: whom it concerns was not heard either. */
  async function lookAtEnd(region: Region): Promise<void> {
    const entry = await log.lastEntry(region);
    const told = places.get(region) ?? firstEntry;
    if (seen.has(region) && !isAfter(entry, told)) return;
    seen.add(region);
    const newest = isAfter(entry, told) ? entry : told;
    places.set(region, newest);
    subscribers.tell(region, newest, "everyone");
  }

  /** Notices new regions and listens to all. Gives what went wrong: a server that is away must not keep the others from being heard. */
  async function notice(): Promise<unknown[]> {
    const failures: unknown[] = [];
    const keepFailure = (error: unknown) => void failures.push(error);
    for (const region of (await log.regions().catch(keepFailure)) ?? []) regions.add(region);
    const listening = await channels.listen(regions);
    failures.push(...listening.failures);
    const isTimeForAll = performance.now() >= lookAtAllAtMs;
    if (isTimeForAll) lookAtAllAtMs = performance.now() + lookAtAllMs;
    await Promise.all((isTimeForAll ? [...regions] : listening.begun).map((region) => lookAtEnd(region).catch(keepFailure)));
    return failures;
  }

  async function round(): Promise<void> {
    try {
      if (connection.status === "wait") await connection.connect();
      const [[failure]] = await Promise.all([notice(), pingAll(connection)]);
      if (failure !== undefined) throw failure;
    } catch (error) {
      if (stopping.signal.aborted) return;
      onError(error);
      if (isTimeout(error)) dropSilent(connection);
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

  const ended = follow();
  return {
    subscribe: (participantId) => subscribers.add(participantId),
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
    const { participantId, operatorId } = fromBinary(EventSchema, bytes);
    return new Set([participantId, operatorId]);
  } catch {
    // Whoever reads it is told of the defect. Here one bad entry must not keep the others from being noticed.
    return "everyone";
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Command timed out");
}
