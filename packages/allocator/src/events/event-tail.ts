import { setTimeout as pause, setImmediate as yieldToOthers } from "node:timers/promises";
import type { Region } from "@petak/protocol";
import type { Redis } from "ioredis";
import type { Keys } from "../keys.ts";
import { createEventLog, decodeEvent } from "./event-log.ts";
import { createSubscribers, type EventSubscription } from "./subscribers.ts";

/** Tells when the regions' records have grown, so that nobody has to poll. */
export interface EventTail {
  /** Begins to follow, for one participant, what happens from now on. Read the records once after this, then only what it says. */
  subscribe(participantId: string): EventSubscription;
  /** Resolves when reading has ended. */
  stop(): Promise<void>;
}

/** How long one blocking read lasts, and the longest that a new region goes unnoticed, in ms. */
const blockMs = 500;

/** Pause after a failed read, and while there is no region yet, in ms. */
const pauseMs = 500;

/** Entries read from one region at a time: enough for a burst, and bounded memory after a break. */
const readAtOnce = 100;

/**
 * Follows every region's stream through a connection of its own, which it blocks. A connection on which a command times out is dropped for
 * a new one: a peer that went away without a word would otherwise never be noticed. Its time-out must be longer than a blocking read.
 */
export function createEventTail(connect: () => Redis, keys: Keys, onError: (error: unknown) => void): EventTail {
  const redis = connect();
  const log = createEventLog(redis, keys);
  const subscribers = createSubscribers();
  const stopping = new AbortController();
  /** Key of a stream → its region and the last entry that was seen. */
  const places = new Map<string, { region: Region; entry: string }>();
  let lookForRegionsAtMs = 0;

  async function noticeRegions(): Promise<void> {
    if (performance.now() < lookForRegionsAtMs) return;
    const regions = (await log.regions()).filter((region) => !places.has(keys.events(region)));
    const entries = await Promise.all(regions.map((region) => log.lastEntry(region)));
    for (const [index, region] of regions.entries()) {
      const entry = entries[index] as string;
      places.set(keys.events(region), { region, entry });
      // What was written before the region was noticed is news to anyone.
      subscribers.tell(region, entry, "everyone");
    }
    lookForRegionsAtMs = performance.now() + blockMs;
  }

  async function read(): Promise<void> {
    await noticeRegions();
    if (places.size === 0) {
      await pause(pauseMs, undefined, { signal: stopping.signal });
      return;
    }
    const last = [...places.values()].map(({ entry }) => entry);
    const reply = await redis.xreadBuffer("COUNT", readAtOnce, "BLOCK", blockMs, "STREAMS", ...places.keys(), ...last);
    for (const [stream, entries] of reply ?? []) {
      const place = places.get(stream.toString());
      const newest = entries.at(-1)?.[0].toString("latin1");
      if (place === undefined || newest === undefined) continue;
      place.entry = newest;
      subscribers.tell(place.region, newest, subscribers.size === 0 ? new Set() : concerned(entries));
      await yieldToOthers();
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (redis.status === "wait") await redis.connect();
        await read();
      } catch (error) {
        if (stopping.signal.aborted) return;
        onError(error);
        if (isTimeout(error)) redis.disconnect(true);
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const ended = follow();
  return {
    subscribe: (participantId) => subscribers.add(participantId),
    async stop() {
      stopping.abort();
      redis.disconnect();
      await ended;
    },
  };
}

/** Whom events concern: the participants that made the reservations and those that run the sites. */
function concerned(entries: [id: Buffer, fields: Buffer[]][]): Set<string> | "everyone" {
  const participantIds = new Set<string>();
  for (const [, fields] of entries) {
    try {
      const { participantId, operatorId } = decodeEvent(fields);
      participantIds.add(participantId).add(operatorId);
    } catch {
      // Whoever reads it is told of the defect. Here one bad entry must not keep the others from being noticed.
      return "everyone";
    }
  }
  return participantIds;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Command timed out");
}
