import type { Region } from "@petak/protocol";
import type { Redis } from "ioredis";
import { type RedisConnection, serverOf } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";

/** Hears an event that was just recorded: its region, its entry in the region's stream, and its bytes. */
export type EventListener = (region: Region, entry: string, event: Buffer) => void;

/** What came of listening: regions that were not listened to a moment ago, and why others are not. */
export interface Listening {
  begun: Region[];
  failures: unknown[];
}

/** The channels on which the regions' events are published. */
export interface RegionChannels {
  /**
   * Sees to it that each region is listened to at the server that has it now. What was recorded in a region before it was listened to, or while
   * its connection was lost, went unheard.
   */
  listen(regions: Iterable<Region>): Promise<Listening>;
}

/**
 * Listens through the connections to the servers themselves, which answer commands beside it (RESP3). A region's channel lies in its slot, so
 * that on a cluster only the one master that records an event has to tell of it.
 */
export function createRegionChannels(connection: RedisConnection, keys: Keys, onEvent: EventListener): RegionChannels {
  /** The channels that each server was asked for and has confirmed. */
  const confirmed = new WeakMap<Redis, Set<string>>();
  const regionOf = new Map<string, Region>();

  function confirmedBy(server: Redis): Set<string> {
    const known = confirmed.get(server);
    if (known !== undefined) return known;
    const channels = new Set<string>();
    confirmed.set(server, channels);
    server.on("close", () => channels.clear());
    // A slot has gone to another server. Which, the connection does not say; to ask again for those that stayed does no harm.
    server.on("moved", () => channels.clear());
    server.on("smessageBuffer", (channel: Buffer, message: Buffer) => {
      const region = regionOf.get(channel.toString());
      if (region !== undefined) tellEach(region, message, onEvent);
    });
    return channels;
  }

  return {
    async listen(regions) {
      const begun: Region[] = [];
      const failures: unknown[] = [];
      const asking = [...regions].map(async (region) => {
        const channel = keys.events(region);
        const server = serverOf(connection, channel);
        if (server?.status !== "ready") return;
        const channels = confirmedBy(server);
        if (channels.has(channel)) return;
        regionOf.set(channel, region);
        try {
          await server.ssubscribe(channel);
          channels.add(channel);
          begun.push(region);
        } catch (error) {
          failures.push(error);
        }
      });
      await Promise.all(asking);
      return { begun, failures };
    },
  };
}

/** Bytes before each event of a message: u48 and u32, the two numbers of its entry in the region's stream, and u32 of its length. */
const headBytes = 14;

/** Tells of each event that a script has recorded, as lua/includes/events.lua writes them. What is not written so is no message of ours. */
function tellEach(region: Region, message: Buffer, onEvent: EventListener): void {
  const ends = endsOf(message);
  if (ends.at(-1) !== message.length) return;
  let at = 0;
  for (const end of ends) {
    onEvent(region, `${message.readUIntLE(at, 6)}-${message.readUInt32LE(at + 6)}`, message.subarray(at + headBytes, end));
    at = end;
  }
}

/** Where each event of a message ends; the last number is beyond the message where it is cut off. */
function endsOf(message: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 0; at + headBytes <= message.length; ) {
    at += headBytes + message.readUInt32LE(at + 10);
    ends.push(at);
  }
  return ends;
}
