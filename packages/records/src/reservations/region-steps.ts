import type { Region } from "@petak/protocol";

/** How what comes together is done together. */
export interface RegionStepsOptions<Work, Outcome> {
  /** How many are done in one step at most: the server does nothing else meanwhile. */
  atOnce: number;
  /** Does some of a region in one step, in their order. Gives what became of each; an error is for that one alone. */
  run(region: Region, batch: readonly Work[]): Promise<readonly (Outcome | Error)[]>;
}

/** Does what is to be done in a region, with what comes at the same time. */
export type RegionSteps<Work, Outcome> = (region: Region, work: Work) => Promise<Outcome>;

interface Waiting<Work, Outcome> {
  work: Work;
  resolve: (outcome: Outcome) => void;
  reject: (reason: unknown) => void;
}

interface RegionQueue<Work, Outcome> {
  waiting: Waiting<Work, Outcome>[];
  isUnderWay: boolean;
  isScheduled: boolean;
}

/**
 * Gathers what is to be done in each region in one turn of the event loop, and while earlier work is under way, and does it in one step: a group commit.
 * What comes alone waits for nothing. One step of a region is under way at a time: two at once would each be half as large, and cost more by what
 * each takes before its first piece of work. Where a step fails as a whole, so does what waits behind it: it would meet the same, one step after
 * another.
 */
export function createRegionSteps<Work, Outcome>({ atOnce, run }: RegionStepsOptions<Work, Outcome>): RegionSteps<Work, Outcome> {
  const queues = new Map<Region, RegionQueue<Work, Outcome>>();

  function sendWaiting(region: Region, queue: RegionQueue<Work, Outcome>): void {
    if (queue.isUnderWay) return;
    if (queue.waiting.length > 0) void step(region, queue, queue.waiting.splice(0, atOnce));
    else if (!queue.isScheduled) queues.delete(region);
  }

  async function step(region: Region, queue: RegionQueue<Work, Outcome>, batch: readonly Waiting<Work, Outcome>[]): Promise<void> {
    queue.isUnderWay = true;
    try {
      const outcomes = await run(
        region,
        batch.map(({ work }) => work),
      );
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index] as Outcome | Error;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
      for (const { reject } of queue.waiting.splice(0)) reject(error);
    } finally {
      queue.isUnderWay = false;
      sendWaiting(region, queue);
    }
  }

  return (region, work) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(region) ?? { waiting: [], isUnderWay: false, isScheduled: false };
      queues.set(region, queue);
      queue.waiting.push({ work, resolve, reject });
      if (queue.isScheduled) return;
      queue.isScheduled = true;
      setImmediate(() => {
        queue.isScheduled = false;
        sendWaiting(region, queue);
      });
    });
}
