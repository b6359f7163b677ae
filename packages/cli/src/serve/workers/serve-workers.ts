import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Config, createManagementServer, createMetrics, type Logger, managementAddress } from "@petak/gateway";
import { CliFailure } from "../../failure.ts";
import { gatewayUrl } from "../gateway-url.ts";
import { openStore } from "../open-store.ts";
import { explainStart, type ServedPort } from "../serve-gateway.ts";
import { workersPages } from "./pages.ts";
import { RestartPauses } from "./restart-pauses.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

/** How many workers a configuration asks for. */
export function workersOf({ workers }: Pick<Config, "workers">): number {
  return workers === "auto" ? availableParallelism() : Number(workers);
}

/**
 * Starts a gateway of several processes that serve one port. This process hands out the connections in turn, serves the management listener, has the private
 * Redis, and replaces a worker that ended by itself.
 *
 * @throws {CliFailure} if one of them cannot start
 */
export async function serveWorkers(given: Config, cwd: string, logger: Logger): Promise<ServedPort> {
  const store = await openStore(given, cwd, logger);
  const count = workersOf(given);
  const config = divided(store.config, count);
  const running = new Map<number, RunningWorker>();
  /** Those that do not accept calls yet. */
  const starting = new Set<Promise<RunningWorker>>();
  const ended = Promise.withResolvers<CliFailure>();
  const stopping = new AbortController();
  /** By the workers' numbers. */
  const pauses = new Map(Array.from({ length: count }, (_, index) => [index + 1, new RestartPauses()]));
  const { pages, died, forget } = workersPages({ running, count, logger });
  const management = createManagementServer({ routes: pages, logger, metrics: createMetrics({ processMetrics: false }) });
  void store.ended.then(ended.resolve);

  function start(number: number): Promise<RunningWorker> {
    const beginning = begin(number);
    starting.add(beginning);
    return beginning.finally(() => starting.delete(beginning));
  }

  async function begin(number: number): Promise<RunningWorker> {
    const worker = await startWorker(number, config, cwd, logger);
    const servesSinceMs = performance.now();
    running.set(number, worker);
    logger.info({ worker: number, pid: worker.pid }, "a worker serves");
    void worker.ended.then(async ({ failure, how, isAsked }) => {
      running.delete(number);
      if (stopping.signal.aborted) return;
      if (!isAsked) died();
      await forget(worker.id);
      // The gateway must not use the data any more: another worker must not either.
      if (failure?.reason === "data-version") return ended.resolve(failure);
      const facts = { worker: number, pid: worker.pid, how, reason: failure?.message };
      logger[isAsked ? "info" : "error"](facts, "a worker ended and is replaced");
      await replace(number, isAsked ? Number.POSITIVE_INFINITY : performance.now() - servesSinceMs);
    });
    return worker;
  }

  /** @param servedMs how long the one that is replaced had served */
  async function replace(number: number, servedMs: number): Promise<void> {
    const { signal } = stopping;
    for (let lastedMs = servedMs; ; lastedMs = 0) {
      await sleep(pauses.get(number)?.after(lastedMs), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await start(number);
        return;
      } catch (error) {
        if (error instanceof CliFailure && error.reason === "data-version") return ended.resolve(error);
        if (signal.aborted) return;
        died();
        logger.error({ worker: number, reason: (error as Error).message }, "a worker cannot be replaced yet");
      }
    }
  }

  /** A worker that is starting reads the files anyway. */
  async function reload(): Promise<void> {
    for (const worker of running.values()) worker.reload();
  }

  async function stop(): Promise<void> {
    stopping.abort();
    store.isStopping();
    await Promise.allSettled(starting);
    await Promise.all([...running.values()].map((worker) => worker.stop()));
    await management.close();
    await store.stop();
  }

  try {
    // What a first start makes, such as the administrator's key, is made once.
    const first = await start(1);
    const others = await Promise.allSettled(Array.from({ length: count - 1 }, (_, index) => start(index + 2)));
    for (const one of others) if (one.status === "rejected") throw one.reason;
    const address = await management.listen(managementAddress(given));
    logger.info({ workers: count, management: address }, "all workers listen");
    const managementUrl = gatewayUrl("http", address.host, address.port);
    return { url: first.url, managementUrl, ended: ended.promise, reload, stop };
  } catch (error) {
    await stop();
    throw explainStart(error);
  }
}

/** Connections come to the workers in turn, so that each needs its part. */
function divided(config: Config, count: number): Config {
  const part = (limit: number) => Math.ceil(limit / count);
  return {
    ...config,
    workers: "1",
    maxConnections: part(config.maxConnections),
    maxConnectionsPerAddress: part(config.maxConnectionsPerAddress),
    healthConnections: part(config.healthConnections),
    maxConcurrentStreams: part(config.maxConcurrentStreams),
  };
}
