import type { LogFailure } from "../../../observability/index.ts";
import { createDeliveryRounds, type Rest, type RoundDependencies } from "./delivery-rounds.ts";
import { type AttemptDependencies, createBatchSender } from "./send-batch.ts";

export interface WorkerDependencies extends RoundDependencies, AttemptDependencies {
  logFailure: LogFailure;
}

/** Delivers to one endpoint for as long as this gateway holds its lease. */
export interface EndpointWorker {
  /** Starts a round at once, after a change of the endpoint. */
  wake(): void;
  /** Starts no further attempt and resolves when those in flight have ended. `cut` aborts them. */
  stop(cut: AbortSignal): Promise<void>;
  /** Resolves when the worker has ended: it was stopped, its lease went to another gateway, or its endpoint was deleted. */
  readonly ended: Promise<void>;
}

/** Longest time until a change by another gateway is noticed, and the pause after an error, in ms. */
const pollIntervalMs = 5000;
const afterErrorMs = 1000;

/** Upper bound of a wait for new events, in ms. A timer ends the wait much earlier. */
const newsTimeoutMs = 3_600_000;

/** Starts delivering to an endpoint. */
export function startEndpointWorker(endpointId: string, token: string, dependencies: WorkerDependencies): EndpointWorker {
  const { now, after, logFailure } = dependencies;
  const stopping = new AbortController();
  const cutter = new AbortController();
  let isWoken = false;
  let wakeUp = () => {};
  const send = createBatchSender(dependencies, { stopping: stopping.signal, cut: cutter.signal, isInterrupted: () => isWoken });
  const rounds = createDeliveryRounds(endpointId, token, dependencies, send);

  /** Waits until the given time, new events, a call of `wake` or the stop. */
  async function wait({ untilMs, endsWithNews }: Rest): Promise<void> {
    const waiting = new AbortController();
    wakeUp = () => waiting.abort();
    const waitMs = Math.min(pollIntervalMs, untilMs - now());
    if (isWoken || waitMs <= 0 || stopping.signal.aborted) return;
    const cancel = after(waitMs, wakeUp);
    const ends = [stopping.signal, waiting.signal];
    if (endsWithNews && rounds.follower !== undefined) await rounds.follower.wait(newsTimeoutMs, ends);
    else await untilOneAborts(ends);
    cancel();
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      isWoken = false;
      try {
        const rest = await rounds.run();
        if (rest === undefined) break;
        await wait(rest);
      } catch (error) {
        logFailure("a webhook's delivery", error, { endpoint_id: endpointId });
        // Events that were read and not stored are read again.
        rounds.closeFollower();
        await wait({ untilMs: now() + afterErrorMs, endsWithNews: false });
      }
    }
    rounds.closeFollower();
  }

  const ended = run();
  return {
    ended,
    wake() {
      isWoken = true;
      wakeUp();
    },
    async stop(cut) {
      const onCut = () => cutter.abort(cut.reason);
      if (cut.aborted) onCut();
      else cut.addEventListener("abort", onCut, { once: true });
      stopping.abort();
      await ended;
      cut.removeEventListener("abort", onCut);
    },
  };
}

function untilOneAborts(signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    else any.addEventListener("abort", () => resolve(), { once: true });
  });
}
