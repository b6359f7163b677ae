import type { Region } from "@petak/protocol";
import type { Keys, LogName, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { type StreamEvent, streamEvent } from "../events/event-log.ts";

import { packEntry, unpackEntry } from "./log-reference.ts";

/** Some events of a region that are not said to be in the logs. */
export interface Unlogged {
  /** The entry up to which all is in the logs; undefined: nothing is. */
  upTo: string | undefined;
  events: StreamEvent[];
}

/** How far each region's events are in the participants' logs, as the region's own slot has it. */
export interface RegionProgress {
  /** At most `count` events that are not said to be in the logs; of those after an entry, where one is given. */
  unlogged(region: Region, count: number, after?: string): Promise<Unlogged>;
  /** The last entry of the region that is said to be in each of some logs; undefined: none. */
  lastOf(region: Region, logs: readonly LogName[]): Promise<(string | undefined)[]>;
  /** Every log that has events of the region, and the last entry in each. */
  allLasts(region: Region): Promise<{ log: LogName; entry: string }[]>;
  /** Says that all up to an entry is in the logs, and which is the last in each log that had some of it. */
  mark(region: Region, upTo: string, lasts: readonly { log: LogName; entry: string }[]): Promise<void>;
}

const unloggedScript = createScript("read-unlogged", { isReadOnly: true, isSentAtOnce: true });
const markScript = createScript("mark-logged", { isSentAtOnce: true });

/** Keeps it in Redis. */
export function createRegionProgress(redis: RedisConnection, keys: Keys): RegionProgress {
  return {
    async unlogged(region, count, after = "") {
      const [, upTo, ...rest] = await unloggedScript(redis, [keys.logged(region), keys.events(region)], [count, after]);
      const bytes = rest as Buffer[];
      const events = Array.from({ length: bytes.length / 2 }, (_, index) =>
        streamEvent((bytes[2 * index] as Buffer).toString("latin1"), bytes[2 * index + 1] as Buffer),
      );
      const packed = upTo as Buffer;
      return { upTo: packed.length === 0 ? undefined : unpackEntry(packed), events };
    },
    async lastOf(region, logs) {
      if (logs.length === 0) return [];
      const found = await redis.hmgetBuffer(keys.logged(region), ...logs.map(fieldOf));
      return found.map((bytes) => (bytes === null ? undefined : unpackEntry(bytes)));
    },
    async allLasts(region) {
      const found = await redis.hgetallBuffer(keys.logged(region));
      return Object.entries(found).flatMap(([field, bytes]) => (field === "*" ? [] : [{ log: logIn(field), entry: unpackEntry(bytes) }]));
    },
    async mark(region, upTo, lasts) {
      await markScript(
        redis,
        [keys.logged(region)],
        [packEntry(upTo), ...lasts.flatMap(({ log, entry }) => [fieldOf(log), packEntry(entry)])],
      );
    },
  };
}

/** Most events are of the live network: its logs have the shorter names. */
function fieldOf({ participantId, mode }: LogName): string {
  return mode === "live" ? participantId : `${participantId} ${mode}`;
}

function logIn(field: string): LogName {
  const [participantId = "", mode] = field.split(" ");
  return { participantId, mode: mode === "test" ? "test" : "live" };
}
