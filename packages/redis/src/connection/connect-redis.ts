import { Redis } from "ioredis";
import { ClusterConnection, loadingPollMs, retryDelayMs } from "./cluster-connection.ts";
import { makeTimeoutsPatient } from "./patient-timeouts.ts";
import type { RedisAddress } from "./redis-address.ts";

/** A connection to a single server or to a cluster. Commands are the same; on a cluster each touches the keys of one region. */
export type RedisConnection = Redis | ClusterConnection;

/** How long a server may take to close a connection that was given up, in ms. One that hangs never does. */
export const disconnectTimeoutMs = 500;

/** How long one command may take unless something else is said, in ms: longer than any script, shorter than a caller's patience. */
export const commandTimeoutMs = 2000;

/** What a connection needs to know. */
export interface ConnectionOptions {
  /** Called on every connection error; the connection goes on trying. */
  onError: (error: Error) => void;
  /** How long one command may take, in ms. Default {@link commandTimeoutMs}. 0: no limit. */
  commandTimeoutMs?: number;
}

/**
 * Opens a connection. While the server is away commands fail at once instead of piling up in memory, and none is sent a second time by
 * the connection itself: callers retry with their request id.
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
    // Whoever subscribes has to look for what it missed as well.
    autoResubscribe: false,
    disconnectTimeout: disconnectTimeoutMs,
    maxLoadingRetryTime: loadingPollMs,
    retryStrategy: retryDelayMs,
    reconnectOnError: reconnectToMaster,
    ...(timeoutMs > 0 ? { commandTimeout: timeoutMs } : {}),
    lazyConnect: true,
  };
  const redis = "url" in address ? new Redis(address.url, settings) : new Redis({ ...settings, path: address.socketPath });
  redis.on("error", onError);
  return redis;
}

/** How often a connection to a replica is made anew, in ms: each time what is under way over it fails. */
const replicaRetryMs = 5000;

/** When a connection to a replica was last made anew, by the settings that it has for itself. */
const leftReplicaMs = new WeakMap<object, number>();

/**
 * Whether a connection is to be made anew because of an error. A server that was made a replica keeps the connections that it has, while its address may
 * lead to the new master already.
 */
function reconnectToMaster(this: object, { message }: Error): boolean {
  const nowMs = performance.now();
  if (!message.startsWith("READONLY ") || nowMs - (leftReplicaMs.get(this) ?? Number.NEGATIVE_INFINITY) < replicaRetryMs) return false;
  leftReplicaMs.set(this, nowMs);
  return true;
}

/**
 * Makes another connection to the server of one, not connected yet, which is connected again by itself however often it is lost. Its commands may take
 * as long as those of the other unless something else is said.
 */
export function connectLike(server: Redis, { onError, commandTimeoutMs }: ConnectionOptions): Redis {
  const connection = server.duplicate({
    ...(commandTimeoutMs === undefined ? {} : { commandTimeout: commandTimeoutMs, socketTimeout: commandTimeoutMs }),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: retryDelayMs,
    disconnectTimeout: disconnectTimeoutMs,
    lazyConnect: true,
  });
  connection.on("error", onError);
  return connection;
}

/** Whether a connection is one to a cluster, where a command touches one slot and nothing is read from several regions at once. */
export function isCluster(connection: RedisConnection): connection is ClusterConnection {
  return connection instanceof ClusterConnection;
}

/** The server that has a key, as far as the connection knows; undefined where it knows none. */
export function serverOf(connection: RedisConnection, key: string): Redis | undefined {
  return isCluster(connection) ? connection.masterOf(key) : connection;
}

/** Resolves when a server has answered. One whose disk is full refuses even PING, and that is an answer: it refuses changes and goes on reading. */
export async function ping(server: Redis): Promise<void> {
  await server.ping().catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith("MISCONF ")) throw error;
  });
}

/** Resolves when every server has answered. */
export async function pingAll(connection: RedisConnection): Promise<void> {
  await Promise.all(isCluster(connection) ? connection.nodes("master").map(ping) : [ping(connection)]);
}

/** The process that a connection leads to: another one after a restart, and at an address that has moved. */
export async function runIdOf(server: Redis): Promise<string> {
  return /^run_id:(\w+)/m.exec(await server.info("server"))?.[1] ?? "";
}

/** What the server's clock says, in ms; of a cluster's masters, the one that is behind the others. */
export async function storeTimeMs(connection: RedisConnection): Promise<number> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  const times = await Promise.all(servers.map((server) => server.time()));
  return Math.min(...times.map(([seconds, microseconds]) => Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)));
}

/**
 * Gives up a connection on which a command got no answer in time: the next commands fail at once, where they would wait in turn behind a
 * server that hangs. A cluster's connection does that by itself, for the one server that hangs.
 */
export function dropSilent(connection: RedisConnection): void {
  // Many commands run out of time together. Each time the client is told to, it sets up the end of its socket once more.
  if (isCluster(connection) || connection.status !== "ready" || dropped.has(connection)) return;
  dropped.add(connection);
  connection.once("close", () => dropped.delete(connection));
  connection.disconnect(true);
}

/** Connections that were given up and are not closed yet. */
const dropped = new WeakSet<Redis>();
