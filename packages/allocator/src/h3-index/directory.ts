import type { TrackedCache } from "../cache/tracked-cache.ts";
import type { IndexReader } from "./index-reader.ts";

/** Where sites are, read before anybody asks: a search that goes far needs it, and its own round trips should go into what it finds. */
export interface Directory {
  /** Resolves with true when all of it has been read once; with false after `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
}

/** Regions that are read, at most, and how many of them at once. South-East Asia has some 600: 1.3 MB. */
const regionsMax = 5000;
const regionsAtOnce = 64;

/** Reads the directory whenever the cache begins to be relied on for something. Without a cache there is nothing to read beforehand. */
export function keepDirectory(reader: IndexReader, cache: TrackedCache | undefined): Directory {
  let isReading = false;
  let isOutdated = false;
  let setRead = () => {};
  const read = new Promise<boolean>((resolve) => {
    setRead = () => resolve(true);
  });

  async function readOnce(): Promise<void> {
    const regions = await reader.regions();
    for (let from = 0; from < Math.min(regions.length, regionsMax); from += regionsAtOnce) {
      const some = regions.slice(from, from + regionsAtOnce);
      await Promise.all([reader.directories(some), ...some.map((region) => reader.refreshOpeningTimes(region))]);
    }
  }

  async function readAll(): Promise<void> {
    isOutdated = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isOutdated) {
        isOutdated = false;
        const wasReliable = cache?.isReliable === true;
        await readOnce();
        if (wasReliable) setRead();
      }
    } catch {
      // What fails now is read when its server is relied on again, or by the first search that needs it.
    } finally {
      isReading = false;
    }
  }

  if (cache === undefined) setRead();
  else cache.whenBegun(() => void readAll());
  return {
    async ready(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, false);
      });
      try {
        return await Promise.race([read, late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
