import type { LogFailure } from "../../../observability/index.ts";
import { createDeliveryRounds, type Rest, type RoundDependencies } from "./delivery-rounds.ts";
import { type AttemptDependencies, createBatchSender } from "./send-batch.ts";

/** What all workers share. */
export interface WorkerDependencies extends RoundDependencies, AttemptDependencies {
  logFailure: LogFailure;
}

/** Delivers to one endpoint for as long as this gateway holds its lease. */
export interface EndpointWorker {
  /** Starts a round at once: something about the endpoint was changed. */
  wake(): void;
  /** Begins no further attempt and resolves when those under way have ended; `cut` aborts them. */
  stop(cut: AbortSignal): Promise<void>;
  /** Resolves when it has ended: it was stopped, its lease went to another gateway, or its endpoint is gone. */
  readonly ended: Promise<void>;
}

/** How long a change by another gateway stays unnoticed, in ms, and the pause after an error. */
const lookAgainMs = 5000;
const afterErrorMs = 1000;

/** Longest wait for new events, in ms; a timer ends it much earlier. */
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

  /** Waits until a time, new events, a wake or the stop. */
  async function wait({ untilMs, hearsNews }: Rest): Promise<void> {
    const waiting = new AbortController();
    wakeUp = () => waiting.abort();
    const waitMs = Math.min(lookAgainMs, untilMs - now());
    if (isWoken || waitMs <= 0 || stopping.signal.aborted) return;
    const cancel = after(waitMs, wakeUp);
    const ends = [stopping.signal, waiting.signal];
    if (hearsNews && rounds.follower !== undefined) await rounds.follower.wait(newsTimeoutMs, ends);
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
        // What was read and not stored is read again.
        rounds.closeFollower();
        await wait({ untilMs: now() + afterErrorMs, hearsNews: false });
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
