import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "../keys.ts";
import { createEventLog } from "./event-log.ts";

/** Tells when the regions' records have grown, so that nobody has to poll. */
export interface EventTail {
  /** Resolves after the records have grown since `seen`, a value of {@link generation}, or when the signal aborts. */
  waitBeyond(seen: number, signal: AbortSignal): Promise<void>;
  /** Grows whenever the records have. */
  generation(): number;
  /** Resolves when reading has ended. */
  stop(): Promise<void>;
}

/** How long one blocking read lasts: new regions are looked for in between. */
const blockMs = 500;

/** Pause after a failed read, and while there is no region yet. */
const pauseMs = 500;

/** Follows every region's stream through a connection of its own, which it blocks. */
export function createEventTail(connect: () => Redis, keys: Keys, onError: (error: unknown) => void): EventTail {
  const redis = connect();
  const log = createEventLog(redis, keys);
  const waiters = new Set<() => void>();
  const stopping = new AbortController();
  let generation = 0;

  const grow = () => {
    generation++;
    for (const wake of [...waiters]) wake();
  };

  /** Reads once: whether entries newer than those in `last` are there or come within {@link blockMs}. */
  async function read(last: Map<string, string>): Promise<void> {
    for (const region of await log.regions()) {
      const stream = keys.events(region);
      if (last.has(stream)) continue;
      last.set(stream, await log.lastEntry(region));
      // What was written before the region was noticed is news as well.
      grow();
    }
    if (last.size === 0) {
      await pause(pauseMs, undefined, { signal: stopping.signal });
      return;
    }
    const reply = await redis.xread("COUNT", 1000, "BLOCK", blockMs, "STREAMS", ...last.keys(), ...last.values());
    for (const [stream, entries] of reply ?? []) {
      const newest = entries.at(-1)?.[0];
      if (newest !== undefined) last.set(stream, newest);
    }
    if (reply !== null) grow();
  }

  async function follow(): Promise<void> {
    const last = new Map<string, string>();
    while (!stopping.signal.aborted) {
      try {
        if (redis.status === "wait") await redis.connect();
        await read(last);
      } catch (error) {
        if (stopping.signal.aborted) return;
        onError(error);
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const ended = follow();
  return {
    generation: () => generation,
    waitBeyond(seen, signal) {
      if (generation > seen || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          waiters.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        waiters.add(wake);
        signal.addEventListener("abort", wake);
      });
    },
    async stop() {
      stopping.abort();
      redis.disconnect();
      await ended;
    },
  };
}
