import { type ChunkTimes, chunkOf, chunkSize, type LogArchive, referenceBytes, unpackReferences } from "@petak/records";
import type { LogName } from "@petak/redis";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import type { ArchiveLayout } from "./archive-layout.ts";
import { type LogFile, logFiles, readLogChunk, readLogTimes } from "./log-file.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** What is kept of chunks that were read, in bytes. */
const chunksMaxBytes = 8 * 1024 * 1024;

/** Files of which the times are kept. */
const timesMaxFiles = 10_000;

/** Reads the chunks of participants' logs that have left for the archive. Throws an ArchiveFailure where one that has is not there. */
export function createLogArchive(files: ArchiveFiles, layout: ArchiveLayout): LogArchive {
  const chunks = new WeightedCache<Buffer>(chunksMaxBytes);
  const times = new WeightedCache<ChunkTimes[]>(timesMaxFiles);

  async function opened<Result>(file: LogFile, read: (open: OpenFile) => Promise<Result>): Promise<Result> {
    const open = await files.open(file.path);
    if (open === undefined) throw new ArchiveFailure("away", `${file.path} has gone`);
    try {
      return await read(open);
    } finally {
      await open.close();
    }
  }

  async function chunkBytesOf(log: LogName, chunk: number): Promise<Buffer> {
    const name = `${log.participantId} ${log.mode} ${chunk}`;
    const known = chunks.get(name);
    if (known !== undefined) return known;
    const file = (await logFiles(files, layout, log)).find(({ first, last }) => first <= chunk && chunk <= last);
    if (file === undefined) throw new ArchiveFailure("away", `no file in ${layout.logDir(log)} has chunk ${chunk}`);
    const bytes = await opened(file, (open) => readLogChunk(open, file, chunk));
    chunks.set(name, bytes, bytes.length);
    return bytes;
  }

  return {
    async references(log, from, count) {
      const bytes = await chunkBytesOf(log, chunkOf(from));
      const first = (from - 1) % chunkSize;
      return unpackReferences(bytes.subarray(first * referenceBytes, Math.min(chunkSize, first + count) * referenceBytes));
    },
    async times(log) {
      const found = await Promise.all(
        (await logFiles(files, layout, log)).map(async (file) => {
          const known = times.get(file.path);
          if (known !== undefined) return known;
          const read = await opened(file, (open) => readLogTimes(open, file));
          times.set(file.path, read, 1);
          return read;
        }),
      );
      // Files overlap where two gateways wrote at once.
      return [...new Map(found.flat().map((chunk) => [chunk.chunk, chunk])).values()];
    },
  };
}
