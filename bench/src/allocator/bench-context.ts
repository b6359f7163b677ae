import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { claimStoreCode, connectRedis, createKeys } from "@petak/redis";
import { type RedisServer, startRedisServer } from "@petak/redis/server";

import type { Redis } from "ioredis";
import type { Say } from "./progress.ts";

/** What every part gets. */
export interface BenchContext {
  /** How often everything is measured; the median counts. */
  rounds: number;
  /** Length of one measurement that has no end of its own, in s. */
  seconds: number;
  /** Sites of the large network. No other is larger. */
  mostSites: number;
  say: Say;
}

/** Everything random in the bench comes from here. */
export const seed = 1;

/** A private Redis with an allocator over one connection. */
export interface BenchServer {
  server: RedisServer;
  redis: Redis;
  records: SearchableRecords;
  /** Another connection, not open yet. */
  connect(): Redis;
}

/** What becomes of a connection's errors. */
export function reportError(error: Error): void {
  process.stderr.write(`${error.message}\n`);
}

/** No command of a bench is given up: what loads a network may queue for long. */
const commandTimeoutMs = 60_000;

/**
 * Runs something with a private Redis whose folder is removed afterwards.
 *
 * @param hasIndexCache Whether the allocator keeps what it has read of the index in memory, as the gateway's does. Without it every query asks the server.
 */
export async function withServer<T>(hasIndexCache: boolean, use: (server: BenchServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const server = await startRedisServer({ dataDir: join(folder, "redis") });
  const connect = () => connectRedis({ socketPath: server.socketPath }, { onError: reportError, commandTimeoutMs });
  const redis = connect();
  let records: SearchableRecords | undefined;
  try {
    await redis.connect();
    const storeCode = await claimStoreCode(redis, createKeys("petak"));
    records = createSearchableRecords({ redis, storeCode, ...(hasIndexCache ? { indexCache: { connect, onError: reportError } } : {}) });
    return await use({ server, redis, records, connect });
  } finally {
    records?.stop();
    redis.disconnect();
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

/** Keeps the server from writing its log anew within a run, as the peer is kept from its checkpoints. */
export async function withoutRewriting(redis: Redis): Promise<void> {
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
}

/** Runs something with a second allocator over the same server, which keeps what it has read of the index in memory, as the gateway's does. */
export async function withCachedAllocator<T>({ connect }: BenchServer, use: (cached: SearchableRecords) => Promise<T>): Promise<T> {
  const redis = connect();
  await redis.connect();
  const storeCode = await claimStoreCode(redis, createKeys("petak"));
  const cached = createSearchableRecords({ redis, storeCode, indexCache: { connect, onError: reportError } });
  try {
    return await use(cached);
  } finally {
    cached.stop();
    redis.disconnect();
  }
}
