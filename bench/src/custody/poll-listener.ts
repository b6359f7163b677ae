import { setTimeout as pause } from "node:timers/promises";
import type { Listener } from "./lives.ts";

/** Polling interval of a listener, in ms, short enough for a delay of a few ms. */
const pollMs = 2;

/** Listens by polling. `read` returns when each new event was recorded, in ms. */
export function pollListener(read: () => Promise<number[]>): Listener {
  const delaysMs: number[] = [];
  let count = 0;
  let isClosed = false;
  const ended = (async () => {
    while (!isClosed) {
      const recordedMs = await read();
      const nowMs = performance.timeOrigin + performance.now();
      count += recordedMs.length;
      for (const atMs of recordedMs) delaysMs.push(nowMs - atMs);
      if (recordedMs.length === 0) await pause(pollMs);
    }
  })();
  return {
    get count() {
      return count;
    },
    delaysMs,
    async close() {
      isClosed = true;
      await ended;
    },
  };
}
