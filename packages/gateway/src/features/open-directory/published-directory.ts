import { PetakError } from "@petak/protocol";
import { filesTtlS, type PublishedFiles } from "./builder.ts";
import { TooManySites } from "./published-region.ts";

/** The files of the open directory, made when somebody asks for them and at most once in an interval. */
export interface PublishedDirectory {
  /**
   * The files, at most twice the interval old.
   *
   * @throws {PetakError} STORE_UNAVAILABLE if they cannot be made or it takes too long; what the store's failures are is reported to `onFailure`.
   */
  current(): Promise<PublishedFiles>;
}

export interface PublishedDirectoryDependencies {
  build: () => Promise<PublishedFiles>;
  now: () => number;
  /** Is told why the files could not be made. */
  onFailure: (error: Error) => void;
  /** How long a request waits for files that are being made, in ms. Default 10,000. */
  waitMs?: number;
}

const freshMs = filesTtlS * 1000;

/** How long nothing is tried after a failure, in ms: requests must not press a store that is in trouble. */
const pauseMs = 2000;

/** Creates the published directory. One request's files serve all others, and only one call of `build` runs at a time. */
export function createPublishedDirectory({ build, now, onFailure, waitMs = 10_000 }: PublishedDirectoryDependencies): PublishedDirectory {
  let snapshot: PublishedFiles | undefined;
  let building: Promise<PublishedFiles> | undefined;
  let failed: { error: PetakError; atMs: number } | undefined;

  function start(): Promise<PublishedFiles> {
    building ??= build()
      .then(
        (built) => {
          snapshot = built;
          failed = undefined;
          return built;
        },
        (cause: Error) => {
          onFailure(cause);
          const why = cause instanceof TooManySites ? cause.message : "the gateway cannot read its store now";
          failed = { error: unavailable(why, cause), atMs: now() };
          throw failed.error;
        },
      )
      .finally(() => {
        building = undefined;
      });
    return building;
  }

  async function inTime(wanted: Promise<PublishedFiles>): Promise<PublishedFiles> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(unavailable(`the open directory is not made within ${waitMs} ms`)), waitMs);
    try {
      return await Promise.race([wanted, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async current() {
      const nowMs = now();
      const ageMs = snapshot === undefined ? Number.POSITIVE_INFINITY : Math.abs(nowMs - snapshot.builtMs);
      if (snapshot !== undefined && ageMs < freshMs) return snapshot;
      const isPausing = failed !== undefined && Math.abs(nowMs - failed.atMs) < pauseMs;
      if (snapshot !== undefined && ageMs < 2 * freshMs) {
        // The next request finds newer ones. A failure was reported.
        if (!isPausing) start().catch(() => {});
        return snapshot;
      }
      if (isPausing && building === undefined && failed !== undefined) throw failed.error;
      return await inTime(start());
    },
  };
}

function unavailable(why: string, cause?: unknown): PetakError {
  return new PetakError("STORE_UNAVAILABLE", `The open directory is not available: ${why}.`, { retryAfterMs: 5000, cause });
}
