import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";

/** A real server that replicates another. */
export interface TestReplica extends TestServer {
  /** Suspends its process (SIGSTOP), like a network partition. */
  freeze(): void;
  /** Resumes its process. */
  thaw(): void;
  /** Makes it a master. */
  promote(): Promise<void>;
}

const pollMs = 10;

/** Timeout of the initial synchronisation, in ms. */
const caughtUpWithinMs = 60_000;

/**
 * Starts a replica of a server that was started with `hasReplicas`, and resolves when it is synchronised. It can have replicas itself, so that it can replace the
 * master after a promotion.
 */
export async function startTestReplica(master: TestServer, options: TestServerOptions = {}): Promise<TestReplica> {
  if (master.port === undefined) throw new TypeError("the master must have been started with hasReplicas");
  const server = await startTestServer({ flavour: master.flavour, ...options, hasReplicas: true });
  const redis = new Redis(server.options);
  const leader = new Redis(master.options);
  try {
    // By default a master waits five seconds for more replicas.
    await leader.config("SET", "repl-diskless-sync-delay", "0");
    await redis.replicaof("127.0.0.1", master.port);
    const deadlineMs = performance.now() + caughtUpWithinMs;
    while (!(await isWhole(redis))) {
      if (performance.now() > deadlineMs) throw new Error(`The replica did not catch up within ${caughtUpWithinMs} ms.`);
      await pause(pollMs);
    }
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    redis.disconnect();
    leader.disconnect();
  }
  let isFrozen = false;
  const thaw = () => {
    if (isFrozen) process.kill(server.pid, "SIGCONT");
    isFrozen = false;
  };
  const stop = async () => {
    thaw();
    await server.stop();
  };
  return {
    ...server,
    get pid() {
      return server.pid;
    },
    freeze() {
      process.kill(server.pid, "SIGSTOP");
      isFrozen = true;
    },
    thaw,
    async promote() {
      const own = new Redis(server.options);
      await own.replicaof("NO", "ONE").finally(() => own.disconnect());
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Whether a replica is synchronised, including its append-only file; before that it cannot be stopped gracefully. */
async function isWhole(redis: Redis): Promise<boolean> {
  const info = await redis.info();
  return /master_link_status:up/.test(info) && /aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info);
}
