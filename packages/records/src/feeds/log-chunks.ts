import type { Region } from "@petak/protocol";
import type { Keys, LogName, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";

import { type LogReference, referenceBytes } from "./log-reference.ts";
import { type ChunkTimes, chunkSize, createLogStore } from "./log-store.ts";
import { createRegionProgress } from "./region-progress.ts";

/** A whole chunk of a log, as it is kept. */
export interface StoredChunk extends ChunkTimes {
  readonly bytes: Buffer;
}

/** Bytes of a whole chunk. */
export const chunkBytes = chunkSize * referenceBytes;

/** Where chunks are that have left for the archive. */
export interface LogArchive {
  /** References of a log from a number on, at most `count`, in the same chunk. */
  references(log: LogName, from: number, count: number): Promise<LogReference[]>;
  /** The times of the chunks that are there. */
  times(log: LogName): Promise<ChunkTimes[]>;
}

/** What leaves participants' logs for the archive. */
export interface LogChunks {
  /** The logs that have events of a region. */
  logsOf(region: Region): Promise<LogName[]>;
  /** Whole chunks of a log all of whose events were recorded before a time, in their order, at most `max`. */
  before(log: LogName, timeMs: number, max: number): Promise<StoredChunk[]>;
  /** Takes a chunk away that the archive has. False where it is another here, and nothing was done. */
  forget(log: LogName, chunk: StoredChunk): Promise<boolean>;
}

const forgetScript = createScript("forget-log-chunk");

/** Keeps it in Redis. */
export function createLogChunks(redis: RedisConnection, keys: Keys): LogChunks {
  const progress = createRegionProgress(redis, keys);
  const logs = createLogStore(redis, keys);
  return {
    async logsOf(region) {
      return (await progress.allLasts(region)).map(({ log }) => log);
    },
    async before(log, timeMs, max) {
      const old = (await logs.timesHere(log)).filter(({ lastMs }) => lastMs < timeMs).slice(0, max);
      const chunks = await Promise.all(
        old.map(async (times) => ({ ...times, bytes: await redis.getBuffer(keys.logChunk(log, times.chunk)) })),
      );
      return chunks.flatMap((chunk) => (chunk.bytes?.length === chunkBytes ? [{ ...chunk, bytes: chunk.bytes }] : []));
    },
    async forget(log, { chunk, bytes }) {
      const [tag] = await forgetScript(redis, [keys.logHead(log), keys.logTimes(log), keys.logChunk(log, chunk)], [chunk, bytes]);
      return tag === "done";
    },
  };
}
