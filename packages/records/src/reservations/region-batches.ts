import type { Region } from "@petak/protocol";
import { type CallTrace, currentTrace, outsideTraces } from "@petak/redis";

/** The options of batching. */
export interface RegionBatchesOptions<Work, Outcome> {
  /** The script that processes a batch. */
  script: string;
  /** The most items of one batch. A script blocks the server while it runs. */
  batchMax: number;
  /** Processes a batch of a region, in order. Returns the outcome of each item; an error rejects that item alone. */
  run(region: Region, batch: readonly Work[]): Promise<readonly (Outcome | Error)[]>;
}

/** Processes an item in a batch of its region. */
export type RegionBatches<Work, Outcome> = (region: Region, work: Work) => Promise<Outcome>;

interface Item<Work, Outcome> {
  work: Work;
  trace: CallTrace | undefined;
  resolve: (outcome: Outcome) => void;
  reject: (reason: unknown) => void;
}

interface RegionQueue<Work, Outcome> {
  waiting: Item<Work, Outcome>[];
  isInProgress: boolean;
  isScheduled: boolean;
}

/**
 * Group commit: batches the items of each region that arrive in one turn of the event loop or while an earlier batch is in progress. A single item is not
 * delayed. Each region has one batch in progress at a time: two would each be half as large, and each batch has a fixed cost. If a batch fails as a whole, the
 * items that wait for the next one are rejected too: they would fail in the same way, one batch after another.
 */
export function createRegionBatches<Work, Outcome>({
  script,
  batchMax,
  run,
}: RegionBatchesOptions<Work, Outcome>): RegionBatches<Work, Outcome> {
  const queues = new Map<Region, RegionQueue<Work, Outcome>>();

  function processWaiting(region: Region, queue: RegionQueue<Work, Outcome>): void {
    if (queue.isInProgress) return;
    if (queue.waiting.length > 0) void process(region, queue, queue.waiting.splice(0, batchMax));
    else if (!queue.isScheduled) queues.delete(region);
  }

  async function process(region: Region, queue: RegionQueue<Work, Outcome>, batch: readonly Item<Work, Outcome>[]): Promise<void> {
    queue.isInProgress = true;
    const startedMs = performance.now();
    try {
      const works = batch.map(({ work }) => work);
      const outcomes = await outsideTraces(() => run(region, works));
      record(batch, startedMs, undefined);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index] as Outcome | Error;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      record(batch, startedMs, error);
      for (const { reject } of batch) reject(error);
      for (const { reject } of queue.waiting.splice(0)) reject(error);
    } finally {
      queue.isInProgress = false;
      processWaiting(region, queue);
    }
  }

  /** Each call has waited for the whole batch. */
  function record(batch: readonly Item<Work, Outcome>[], startedMs: number, error: unknown): void {
    for (const { trace } of batch) {
      const durationMs = performance.now() - startedMs;
      trace?.recordCommand?.({ operation: "EVALSHA", script, batchSize: batch.length, durationMs, error });
    }
  }

  return (region, work) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(region) ?? { waiting: [], isInProgress: false, isScheduled: false };
      queues.set(region, queue);
      queue.waiting.push({ work, trace: currentTrace(), resolve, reject });
      if (queue.isScheduled) return;
      queue.isScheduled = true;
      setImmediate(() => {
        queue.isScheduled = false;
        processWaiting(region, queue);
      });
    });
}
