import { SignedOutError } from "../counter/port.ts";
import type { App } from "./app.ts";

/** How long the agent may be silent, in ms: it says something every 10 s. */
const silenceMaxMs = 25_000;

/** The pause before the agent is asked again, in ms: short at first, because most gaps are. */
const firstPauseMs = 500;
const longestPauseMs = 8000;

/** Follows the agent's counter until the signal, and comes back to it whenever it was lost. */
export async function follow(app: App, signal: AbortSignal): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const counter = await app.port.getCounter();
      if (signal.aborted) return;
      await app.heard(counter);
      pauseMs = firstPauseMs;
      if (counter.clerk !== undefined) await watch(app, signal);
    } catch (error) {
      // Signed out is an answer: the next round says who may sign in.
      if (!signal.aborted && !(error instanceof SignedOutError)) app.lost();
    }
    await pause(app.isReachable === true ? firstPauseMs * 4 : pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** Hears the counter until the stream ends, or has been silent for too long. */
async function watch(app: App, signal: AbortSignal): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMaxMs);
  try {
    for await (const counter of app.port.watch(AbortSignal.any([signal, silence.signal]))) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMaxMs);
      await app.heard(counter);
      if (counter.clerk === undefined) return;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits, or until the tablet has a network again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = new AbortController();
  globalThis.addEventListener?.("online", () => resolve(), { signal: stop.signal });
  signal.addEventListener("abort", () => resolve(), { once: true, signal: stop.signal });
  return promise.finally(() => {
    clearTimeout(timer);
    stop.abort();
  });
}
