import { randomUUID } from "node:crypto";
import { type EndpointWorker, startEndpointWorker, type WorkerDependencies } from "./endpoint-worker.ts";

/** What a dispatcher needs. */
export interface DispatcherOptions extends WorkerDependencies {
  /**
   * How long a gateway may be silent before another delivers in its place, in ms. Default 15 s: longer than a gateway is busy with itself, short
   * enough that nobody notices. The one clock here that cannot be handed in: it is that of Redis.
   */
  leaseMs?: number;
}

/** Delivers to the endpoints whose leases this gateway holds. */
export interface Dispatcher {
  /** Looks at an endpoint at once: it was made or changed here. */
  wake(endpointId: string): void;
  /** Resolves when every endpoint has been left to the other gateways. What is under way after `graceMs` is broken off, and sent again by them. */
  stop(graceMs: number): Promise<void>;
}

/** Of a lease, how much of it passes before it is held on to. */
const renewals = 3;

/** Starts dispatching. Of several gateways, each endpoint is that of the first to take its lease. */
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

  /** Takes the lease of an endpoint, or holds on to it. */
  async function hold(endpointId: string): Promise<void> {
    const outcome = await deliveries.lease(endpointId, token, leaseMs);
    const worker = workers.get(endpointId);
    // Taken anew means that another may have had it: what is known here of the endpoint's state is old.
    if (worker !== undefined && outcome !== "renewed") await worker.stop(AbortSignal.abort());
    if (outcome !== "unavailable" && !stopping.signal.aborted && !workers.has(endpointId)) start(endpointId);
  }

  async function look(): Promise<void> {
    const endpointIds = new Set(await store.all());
    const results = await Promise.allSettled([...endpointIds].map(hold));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      isWoken = false;
      try {
        await look();
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
