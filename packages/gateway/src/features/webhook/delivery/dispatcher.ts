import { randomUUID } from "node:crypto";
import { type EndpointWorker, startEndpointWorker, type WorkerDependencies } from "./endpoint-worker.ts";

export interface DispatcherOptions extends WorkerDependencies {
  /**
   * Duration of an endpoint's lease, in ms by Redis's clock: how long a gateway may be unresponsive before another one takes over. Default 15 s, longer
   * than a gateway's pauses and short enough to go unnoticed.
   */
  leaseMs?: number;
}

/** Delivers to the endpoints whose leases this gateway holds. */
export interface Dispatcher {
  /** Starts a round for an endpoint that was created or changed here. */
  wake(endpointId: string): void;
  /** Releases all leases. Attempts that are in flight after `graceMs` are aborted; other gateways send them again. */
  stop(graceMs: number): Promise<void>;
}

/** Renewals during one lease. */
const renewals = 3;

/** Starts dispatching. Of several gateways, the one that acquires an endpoint's lease delivers to it. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { store, deliveries, logFailure, leaseMs = 15_000 } = options;
  const token = randomUUID();
  const workers = new Map<string, EndpointWorker>();
  const stopping = new AbortController();
  let wakeUp = () => {};
  let isWoken = false;

  function start(endpointId: string): void {
    const worker = startEndpointWorker(endpointId, token, options);
    workers.set(endpointId, worker);
    void worker.ended.then(() => {
      if (workers.get(endpointId) === worker) workers.delete(endpointId);
    });
  }

  /** Acquires or renews the lease of an endpoint. */
  async function lease(endpointId: string): Promise<void> {
    const outcome = await deliveries.lease(endpointId, token, leaseMs);
    const worker = workers.get(endpointId);
    // Lease re-acquired: another gateway may have had it meanwhile, so the worker's state is stale.
    if (worker !== undefined && outcome !== "renewed") await worker.stop(AbortSignal.abort());
    if (outcome !== "unavailable" && !stopping.signal.aborted && !workers.has(endpointId)) start(endpointId);
  }

  async function leaseAll(): Promise<void> {
    const endpointIds = new Set(await store.all());
    const results = await Promise.allSettled([...endpointIds].map(lease));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      isWoken = false;
      try {
        await leaseAll();
      } catch (error) {
        logFailure("the leasing of webhooks", error);
      }
      if (!isWoken && !stopping.signal.aborted) await sleep();
    }
  }

  function sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, leaseMs / renewals);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const ended = run();
  return {
    wake(endpointId) {
      const worker = workers.get(endpointId);
      if (worker !== undefined) return worker.wake();
      isWoken = true;
      wakeUp();
    },
    async stop(graceMs) {
      stopping.abort();
      wakeUp();
      await ended;
      const cut = new AbortController();
      const timer = setTimeout(() => cut.abort(), graceMs);
      const all = [...workers];
      await Promise.all(all.map(([, worker]) => worker.stop(cut.signal)));
      clearTimeout(timer);
      await Promise.allSettled(all.map(([endpointId]) => deliveries.release(endpointId, token)));
    },
  };
}
