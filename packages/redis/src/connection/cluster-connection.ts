import { once } from "node:events";
import { Cluster, Command, type Redis } from "ioredis";
import type { ClusterAddress } from "./redis-address.ts";

/**
 * How often the map of the cluster is read anew, in ms. A command that goes to the wrong server is sent on by the client, but of several that
 * go together it gives some back as failed; this bounds for how long.
 */
const mapIntervalMs = 2000;

/** How long a server may take to tell the map, in ms, before another is asked. */
const mapTimeoutMs = 1000;

/**
 * How often a server that reads its records back is asked whether it is done, in ms. What it says of the time that it still needs is a guess, which at the
 * beginning is many times too long; the client would wait that long.
 */
export const loadingPollMs = 250;

/** How long the next attempt to connect waits after so many that failed, in ms: a server that is back is not kept waiting, however long it was away. */
export function retryDelayMs(attempts: number): number {
  return Math.min(attempts * 50, 1000);
}

/** How often one command is sent on to where the cluster says it belongs, or asked again where its slot is just moving (100 ms apart). */
const redirectionsMax = 5;

/** As the client says it itself where it does. */
const closedMessage = "Connection is closed.";

/**
 * A connection to every master of a cluster. It behaves as one to a single server does: where a master is away, commands to it fail at once and
 * those to the others work; it is connected again by itself; nothing that may have been done is sent a second time.
 *
 * `ready` is also emitted when one master is connected anew: what was read from it before may have been lost in a failover.
 */
export class ClusterConnection extends Cluster {
  #isClosed = false;
  /** Who waits for a connection or for the map. By itself the client says nothing to them when it is closed before it has connected to a server. */
  readonly #waiting = new Set<(error: Error) => void>();

  constructor({ cluster, username, password, hasTls = false }: ClusterAddress, commandTimeoutMs: number) {
    super(cluster, {
      enableOfflineQueue: false,
      enableAutoPipelining: commandTimeoutMs > 0,
      lazyConnect: true,
      // It would never settle a `connect` to a cluster that is incomplete. Without it the first command says CLUSTERDOWN.
      enableReadyCheck: false,
      slotsRefreshInterval: mapIntervalMs,
      slotsRefreshTimeout: mapTimeoutMs,
      maxRedirections: redirectionsMax,
      // What was on its way to a server that went away may have been done.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // While the map is not known, the cluster itself is tried again, from its first server on.
      clusterNodeRetryStrategy: (times) => (this.status === "connecting" ? null : retryDelayMs(times)),
      redisOptions: {
        autoResendUnfulfilledCommands: false,
        autoResubscribe: false,
        maxRetriesPerRequest: 0,
        maxLoadingRetryTime: loadingPollMs,
        // A server that hangs is left alone, and does not take the connections to the others with it.
        ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs, socketTimeout: commandTimeoutMs } : {}),
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(hasTls ? { tls: {} } : {}),
      },
      // Certificates are for names, which must not be turned into addresses before they are compared.
      ...(hasTls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    });
    this.on("+node", (node: Redis) => {
      node.on("ready", () => {
        if (this.status === "ready") this.emit("ready");
      });
      // Before the first command: those that come while a server is being connected would fail.
      node.connect().catch(() => undefined);
    });
  }

  /** The slot that a key lies in. */
  slotOf(key: string): number {
    return new Command("get", [key]).getSlot();
  }

  /** The master that has the slot of a key, by the map as it was last read. */
  masterOf(key: string): Redis | undefined {
    const [address] = this.slots[this.slotOf(key)] ?? [];
    return this.nodes("master").find(({ options }) => `${options.host}:${options.port}` === address);
  }

  /** Resolves when every master is connected; rejects with the reason where one cannot be, and goes on trying, or where it is closed meanwhile. */
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
      // By itself it says only that no server would do.
      throw reason ?? error;
    } finally {
      this.off("node error", keepReason);
      this.#waiting.delete(closed.reject);
    }
  }

  /** Calls back when the map is known, for which commands wait that come before; with an error, at once, where it will never be. */
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
