import { Redis } from "ioredis";
import { ClusterConnection, loadingPollMs, retryDelayMs } from "./cluster-connection.ts";
import { makeTimeoutsPatient } from "./patient-timeouts.ts";
import { recordCommands, recordsCommands } from "./record-commands.ts";
import type { RedisAddress } from "./redis-address.ts";

/**
 * A connection to a single server or to a cluster. The commands are the same; on a cluster each command touches the keys of one region
 * only.
 */
export type RedisConnection = Redis | ClusterConnection;

/** Time that a server has to close a dropped connection, in ms. An unresponsive server never does. */
export const disconnectTimeoutMs = 500;

/** Default timeout of one command, in ms: longer than any script runs, shorter than callers wait. */
export const commandTimeoutMs = 2000;

/** Options of a connection. */
export interface ConnectionOptions {
  /** Called on every connection error. The connection keeps reconnecting. */
  onError: (error: Error) => void;
  /** Timeout of one command, in ms. Default {@link commandTimeoutMs}; 0 means none. */
  commandTimeoutMs?: number;
}

/**
 * Opens a connection lazily. While the server is unreachable, commands fail at once instead of queueing in memory. The connection never
 * sends a command twice; callers retry with their idempotency key.
 */
export function connectRedis(address: { url: string } | { socketPath: string }, options: ConnectionOptions): Redis;
export function connectRedis(address: RedisAddress, options: ConnectionOptions): RedisConnection;
export function connectRedis(address: RedisAddress, options: ConnectionOptions): RedisConnection {
  const { onError, commandTimeoutMs: timeoutMs = commandTimeoutMs } = options;
  makeTimeoutsPatient();
  if ("cluster" in address) {
    const cluster = new ClusterConnection(address, timeoutMs);
    cluster.on("error", onError);
    cluster.on("node error", onError);
    return cluster;
  }
  const settings = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: timeoutMs > 0,
    autoPipeliningIgnoredCommands: ["ssubscribe"],
    // Subscribers must also catch up on what they missed, so they resubscribe themselves.
    autoResubscribe: false,
    disconnectTimeout: disconnectTimeoutMs,
    maxLoadingRetryTime: loadingPollMs,
    retryStrategy: retryDelayMs,
    reconnectOnError(this: object, error: Error) {
      const isLeft = reconnectToMaster.call(this, error);
      // Why, before the commands in flight fail with the connection.
      if (isLeft) onError(error);
      return isLeft;
    },
    ...(timeoutMs > 0 ? { commandTimeout: timeoutMs } : {}),
    lazyConnect: true,
  };
  const redis = "url" in address ? new Redis(address.url, settings) : new Redis({ ...settings, path: address.socketPath });
  redis.on("error", onError);
  return redis;
}

/** Least time between two reconnections from a replica, in ms. Each reconnection fails the commands in flight. */
const replicaRetryMs = 5000;

/** Time of the last reconnection from a replica, by the connection's own settings object. */
const leftReplicaMs = new WeakMap<object, number>();

/**
 * Whether to reconnect because of an error. A server that was demoted to a replica keeps its connections, although its address may already
 * lead to the new master.
 */
function reconnectToMaster(this: object, { message }: Error): boolean {
  const nowMs = performance.now();
  if (!message.startsWith("READONLY ") || nowMs - (leftReplicaMs.get(this) ?? Number.NEGATIVE_INFINITY) < replicaRetryMs) return false;
  leftReplicaMs.set(this, nowMs);
  return true;
}

/**
 * Creates another connection to the same server, not connected yet, which reconnects automatically. The command timeout is that of the
 * original unless `commandTimeoutMs` is given.
 */
export function duplicateConnection(server: Redis, { onError, commandTimeoutMs }: ConnectionOptions): Redis {
  const connection = server.duplicate({
    ...(commandTimeoutMs === undefined ? {} : { commandTimeout: commandTimeoutMs, socketTimeout: commandTimeoutMs }),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: retryDelayMs,
    disconnectTimeout: disconnectTimeoutMs,
    lazyConnect: true,
  });
  connection.on("error", onError);
  if (recordsCommands(server)) recordCommands(connection);
  return connection;
}

/** Whether a connection is to a cluster, where one command touches one slot and cannot read from several regions. */
export function isCluster(connection: RedisConnection): connection is ClusterConnection {
  return connection instanceof ClusterConnection;
}

/** The server that serves a key, as far as the connection knows; undefined if none is known. */
export function serverOf(connection: RedisConnection, key: string): Redis | undefined {
  return isCluster(connection) ? connection.masterOf(key) : connection;
}

/**
 * Resolves when a server has answered. MISCONF counts as an answer: a server whose disk is full rejects writes, and PING with them, but
 * still reads.
 */
export async function ping(server: Redis): Promise<void> {
  await server.ping().catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith("MISCONF ")) throw error;
  });
}

/** Resolves when every server has answered. */
export async function pingAll(connection: RedisConnection): Promise<void> {
  await Promise.all(isCluster(connection) ? connection.nodes("master").map(ping) : [ping(connection)]);
}

/** The run id of the server process behind a connection. It changes when the server restarts or the address leads to another server. */
export async function runIdOf(server: Redis): Promise<string> {
  return /^run_id:(\w+)/m.exec(await server.info("server"))?.[1] ?? "";
}

/** The server's clock, in ms since 1970; of a cluster, the earliest of its masters' clocks. */
export async function storeTimeMs(connection: RedisConnection): Promise<number> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  const times = await Promise.all(servers.map((server) => server.time()));
  return Math.min(...times.map(([seconds, microseconds]) => Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)));
}

/**
 * Drops a connection on which a command timed out and reconnects, so that further commands fail at once instead of queueing behind an
 * unresponsive server. A cluster connection does this itself for the one server concerned, so this does nothing there.
 */
export function dropUnresponsive(connection: RedisConnection): void {
  // Many commands time out together, and each extra `disconnect` would add another close handler to the socket.
  if (isCluster(connection) || connection.status !== "ready" || dropped.has(connection)) return;
  dropped.add(connection);
  connection.once("close", () => dropped.delete(connection));
  connection.disconnect(true);
}

/** Connections that were dropped and are not closed yet. */
const dropped = new WeakSet<Redis>();
