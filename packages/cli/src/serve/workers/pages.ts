import { AddedMetrics, json, type Logger, type PlainRoute } from "@petak/gateway";
import type { Readiness } from "./messages.ts";
import type { RunningWorker } from "./worker.ts";

/** How long a worker may take to report, in ms. */
const reportTimeoutMs = 2000;
/** The same for one that did not report last time, in ms: a worker that hangs must not let scrapes fail for as long as it does. */
const silentTimeoutMs = 500;

/** The states of `/readyz`, the best first. */
const states = ["ready", "degraded", "failing", "stopping"];

export interface WorkersPagesOptions {
  /** The workers that accept calls, by number. */
  running: ReadonlyMap<number, RunningWorker>;
  /** How many there should be. */
  count: number;
  logger: Logger;
}

/** The pages of the management listener of a gateway with several workers. */
export interface WorkersPages {
  pages: ReadonlyMap<string, PlainRoute>;
  /** A worker has ended by itself, or could not start. */
  died(): void;
  /** A worker has ended, however. Its counts stay in the sums. @param id its {@link RunningWorker.id} */
  forget(id: number): Promise<void>;
}

/** Creates the pages: `/metrics` has the sums, and `/readyz` the answer of the worker that is worst off. */
export function workersPages({ running, count, logger }: WorkersPagesOptions): WorkersPages {
  const added = new AddedMetrics(count);
  /** Those that did not answer last time. Only changes are logged. */
  const silent = new WeakSet<RunningWorker>();

  async function reports() {
    const asked = [...running.values()].map(async (worker) => {
      const report = await worker.report(silent.has(worker) ? silentTimeoutMs : reportTimeoutMs);
      return { worker, report };
    });
    const answers = (await Promise.all(asked)).filter(({ worker }) => running.get(worker.number) === worker);
    for (const { worker, report } of answers) note(worker, report !== undefined);
    return answers;
  }

  function note(worker: RunningWorker, isAnswering: boolean): void {
    const { number, pid } = worker;
    if (isAnswering) {
      if (silent.delete(worker)) logger.info({ worker: number, pid }, "a worker answers again");
    } else {
      if (!silent.has(worker)) logger.error({ worker: number, pid }, "a worker does not answer");
      silent.add(worker);
    }
  }

  async function metricsText(): Promise<string> {
    let answering = 0;
    for (const { worker, report } of await reports()) {
      if (report === undefined) continue;
      added.take(worker.id, report.metrics);
      answering += 1;
    }
    return await added.text(answering);
  }

  async function readiness() {
    const answers = (await reports()).map(({ report }) => report?.readiness ?? { status: 503, page: { status: "failing" } });
    const worst = answers.toSorted((one, other) => states.indexOf(other.page.status) - states.indexOf(one.page.status))[0];
    const page: Readiness = worst?.page ?? { status: "failing" };
    const isShort = running.size < count && page.status === "ready";
    return json({ ...page, ...(isShort && { status: "degraded" }), workers: `${running.size} of ${count}` }, worst?.status ?? 503);
  }

  return {
    pages: new Map<string, PlainRoute>([
      ["/livez", () => json({ status: "live" })],
      ["/readyz", readiness],
      ["/metrics", async () => ({ contentType: added.contentType, body: await metricsText(), headers: { "cache-control": "no-store" } })],
    ]),
    died: () => added.died(),
    forget: (id) => added.ended(id),
  };
}
