import { once } from "node:events";
import { Cluster, Command, type Redis } from "ioredis";
import type { ClusterAddress } from "./redis-address.ts";

/**
 * Interval between reads of the cluster's slot map, in ms. The client follows a redirect for a single command but fails some commands of a
 * pipeline; the interval bounds how long that lasts after slots have moved.
 */
const mapIntervalMs = 2000;

/** Timeout of one read of the slot map, in ms; then the next server is asked. */
const mapTimeoutMs = 1000;

/**
 * Interval at which a server that is loading its data is asked whether it has finished, in ms. The server's own estimate, which the client
 * would wait for, can be hundreds of times too long at the beginning.
 */
export const loadingPollMs = 250;

/**
 * Delay before the next attempt to connect, in ms, after `attempts` failed ones. At most 1 s, so that a server is used soon after it comes
 * back.
 */
export function retryDelayMs(attempts: number): number {
  return Math.min(attempts * 50, 1000);
}

/** Greatest number of times that one command is redirected, or repeated (100 ms apart) because its slot is being moved. */
const redirectionsMax = 5;

/** The client's own message for a closed connection. */
const closedMessage = "Connection is closed.";

/**
 * A connection to every master of a cluster, with the behaviour of a connection to a single server: commands to an unreachable master fail
 * at once while those to other masters work, connections are re-established automatically, and no command that may have been executed is
 * sent again.
 *
 * `ready` is also emitted when one master has been reconnected: values read from it before may have been lost in a failover.
 */
export class ClusterConnection extends Cluster {
  #isClosed = false;
  /** Callbacks waiting for a connection or for the slot map. The base class never calls them when it is closed before it has connected. */
  readonly #waiting = new Set<(error: Error) => void>();

  constructor({ cluster, username, password, hasTls = false }: ClusterAddress, commandTimeoutMs: number) {
    super(cluster, {
      enableOfflineQueue: false,
      enableAutoPipelining: commandTimeoutMs > 0,
      lazyConnect: true,
      // With the check, `connect` to an incomplete cluster would never settle. Without it, the first command fails with CLUSTERDOWN.
      enableReadyCheck: false,
      slotsRefreshInterval: mapIntervalMs,
      slotsRefreshTimeout: mapTimeoutMs,
      maxRedirections: redirectionsMax,
      // A command in flight when its server failed may have been executed, so it is not repeated.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // Until the slot map is known, the client retries the whole cluster from its first server instead of one node.
      clusterNodeRetryStrategy: (times) => (this.status === "connecting" ? null : retryDelayMs(times)),
      redisOptions: {
        autoResendUnfulfilledCommands: false,
        autoResubscribe: false,
        maxRetriesPerRequest: 0,
        maxLoadingRetryTime: loadingPollMs,
        // Drops the connection to an unresponsive server only; those to other servers stay open.
        ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs, socketTimeout: commandTimeoutMs } : {}),
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(hasTls ? { tls: {} } : {}),
      },
      // TLS certificates are checked against host names, so names must not be resolved to addresses first.
      ...(hasTls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    });
    this.on("+node", (node: Redis) => {
      node.on("ready", () => {
        if (this.status === "ready") this.emit("ready");
      });
      // Connects before the first command, because commands sent while a server is being connected fail.
      node.connect().catch(() => undefined);
    });
  }

  /** The hash slot of a key. */
  slotOf(key: string): number {
    return new Command("get", [key]).getSlot();
  }

  /** The master that serves a key's slot, according to the slot map last read; undefined if none is known. */
  masterOf(key: string): Redis | undefined {
    const [address] = this.slots[this.slotOf(key)] ?? [];
    return this.nodes("master").find(({ options }) => `${options.host}:${options.port}` === address);
  }

  /**
   * Resolves when every master is connected. Rejects with the underlying error if one cannot be connected (attempts continue), or if the
   * connection is closed meanwhile.
   */
  override async connect(): Promise<void> {
    let reason: unknown;
    const keepReason = (error: unknown) => {
      reason ??= error;
    };
    this.on("node error", keepReason);
    this.#isClosed = false;
    const closed = Promise.withResolvers<never>();
    this.#waiting.add(closed.reject);
    try {
      await Promise.race([this.#connectAll(), closed.promise]);
    } catch (error) {
      // The base class reports only that no server could be used.
      throw reason ?? error;
    } finally {
      this.off("node error", keepReason);
      this.#waiting.delete(closed.reject);
    }
  }

  /**
   * Calls back when the slot map is known, on which earlier commands wait. Calls back at once with an error if the connection is closed.
   */
  override delayUntilReady(callback: (error?: Error | null) => void): void {
    if (this.#isClosed) {
      callback(new Error(closedMessage));
      return;
    }
    const waiting = (error?: Error | null) => {
      if (this.#waiting.delete(waiting)) callback(error);
    };
    this.#waiting.add(waiting);
    super.delayUntilReady(waiting);
  }

  override disconnect(reconnect = false): void {
    super.disconnect(reconnect);
    if (reconnect) return;
    this.#isClosed = true;
    for (const giveUp of [...this.#waiting]) giveUp(new Error(closedMessage));
  }

  async #connectAll(): Promise<void> {
    await super.connect();
    const connecting = this.nodes("master").filter(({ status }) => status !== "ready");
    await Promise.all(connecting.map((node) => once(node, "ready")));
  }
}
