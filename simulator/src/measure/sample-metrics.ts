import { setTimeout as delay } from "node:timers/promises";
import type { MetricsSampled } from "../observe/observation.ts";
import { keptMetrics } from "./gateway-metrics.ts";

export interface MetricsOptions {
  /** The address of the gateway's management listener. `/metrics` is asked for below it, without credentials. */
  readonly url: string;
  /** From one sample to the next, in ms. Default 5000. */
  readonly everyMs?: number;
  /** How long an answer may take, in ms. Default 4000. */
  readonly timeoutMs?: number;
  /** Ms since the run began. */
  readonly sinceBeganMs: () => number;
  /** The network's time, in ms since 1970. */
  readonly networkMs: () => number;
  readonly observe: (sample: MetricsSampled) => void;
  /** Called at most once, with a sentence, if there is nothing to sample. */
  readonly note: (sentence: string) => void;
}

/** How long the last answer may take, in ms: somebody waits for the end. */
const lastTimeoutMs = 1_000;
const longestText = 4_000_000;

/**
 * Samples the gateway's own metrics: at once, then every few seconds, and a last time when it is stopped. A gateway that does not answer in time, e.g. because it
 * stands still, has no sample then. One that has no metrics for us is asked no more.
 */
export function sampleMetrics(options: MetricsOptions): { stop(): Promise<void> } {
  const { everyMs = 5_000, timeoutMs = 4_000, sinceBeganMs, networkMs, observe, note } = options;
  const address = `${options.url.replace(/\/+$/, "")}/metrics`;
  let hasMetrics = true;
  let hasSampled = false;
  const stopping = new AbortController();

  function giveUp(why: string): void {
    hasMetrics = false;
    note(`The gateway's own metrics are not in the results: ${address} ${why}.`);
  }

  async function sample(signal: AbortSignal): Promise<void> {
    let text: string;
    try {
      const response = await fetch(address, { redirect: "error", signal });
      if (!response.ok) {
        await response.body?.cancel();
        // A gateway that had metrics before may have trouble for a while.
        if (!hasSampled) giveUp(`answers ${response.status}`);
        return;
      }
      text = await readAtMost(response, longestText);
    } catch {
      return;
    }
    const values = keptMetrics(text);
    if (Object.keys(values).length > 0) {
      hasSampled = true;
      observe({ kind: "metrics", atMs: networkMs(), doneMs: sinceBeganMs(), values });
    } else if (!hasSampled) giveUp("has none of a gateway");
  }

  async function sampleUntilStopped(): Promise<void> {
    const { signal } = stopping;
    while (hasMetrics && !signal.aborted) {
      await sample(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  const done = sampleUntilStopped();
  return {
    async stop() {
      stopping.abort();
      await done;
      if (hasMetrics) await sample(AbortSignal.timeout(Math.min(timeoutMs, lastTimeoutMs)));
      if (hasMetrics && !hasSampled) giveUp("did not answer");
    },
  };
}

async function readAtMost(response: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) throw new Error(`more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
