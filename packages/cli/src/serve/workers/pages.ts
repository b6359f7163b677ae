import { AddedMetrics, json, type PlainRoute } from "@petak/gateway";
import type { Readiness } from "./messages.ts";
import type { RunningWorker } from "./worker.ts";

/** The states of `/readyz`, the best first. */
const states = ["ready", "degraded", "failing", "stopping"];

export interface WorkersPagesOptions {
  /** The workers that accept calls, by number. */
  running: ReadonlyMap<number, RunningWorker>;
  /** How many there should be. */
  count: number;
}

/** The pages of the management listener of a gateway with several workers. */
export interface WorkersPages {
  pages: ReadonlyMap<string, PlainRoute>;
  /** A worker has ended. Its counts stay in the sums. @param id its {@link RunningWorker.id} */
  forget(id: number): Promise<void>;
}

/** Creates the pages: `/metrics` has the sums, and `/readyz` the answer of the worker that is worst off. */
export function workersPages({ running, count }: WorkersPagesOptions): WorkersPages {
  const added = new AddedMetrics();

  async function reports() {
    const asked = [...running.values()].map(async (worker) => ({ worker, report: await worker.report() }));
    return await Promise.all(asked);
  }

  async function metricsText(): Promise<string> {
    for (const { worker, report } of await reports()) {
      if (report !== undefined && running.get(worker.number) === worker) added.take(worker.id, report.metrics);
    }
    return await added.text(running.size);
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
    forget: (id) => added.ended(id),
  };
}
