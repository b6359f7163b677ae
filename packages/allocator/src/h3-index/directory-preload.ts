import type { TrackedCache } from "../cache/tracked-cache.ts";
import type { IndexReader } from "./index-reader.ts";

/** Reads the directory of all regions in advance, so that wide searches spend their round trips on blocks. */
export interface DirectoryPreload {
  /** Resolves with true when the whole directory has been read once, or with false after `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
}

/** Greatest number of regions read, and how many of them at a time. South-East Asia has some 600: 1.3 MB. */
const regionsMax = 5000;
const regionsAtOnce = 64;

/** Reads the directory each time the cache starts to track a server. Without a cache, nothing is preloaded and it is ready at once. */
export function preloadDirectory(reader: IndexReader, cache: TrackedCache | undefined): DirectoryPreload {
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
      // Failed reads are repeated when tracking starts again, or by the first search that needs them.
    } finally {
      isReading = false;
    }
  }

  if (cache === undefined) setRead();
  else cache.onTrackingStarted(() => void readAll());
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
