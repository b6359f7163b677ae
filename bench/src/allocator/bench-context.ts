import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { claimStoreCode, connectRedis, createKeys } from "@petak/redis";
import { type RedisServer, startRedisServer } from "@petak/redis/server";

import type { Redis } from "ioredis";
import type { Say } from "./progress.ts";

/** What every part shares. */
export interface BenchContext {
  /** How often everything is measured; the median counts. */
  rounds: number;
  /** Duration of a measurement without an end of its own, in s. */
  seconds: number;
  /** Sites of the large network, the largest one. */
  mostSites: number;
  say: Say;
}

/** The seed of all randomness in the bench. */
export const seed = 1;

/** A private Redis with an allocator over one connection. */
export interface BenchServer {
  server: RedisServer;
  redis: Redis;
  records: SearchableRecords;
  /** Makes another connection, not open yet. */
  connect(): Redis;
}

/** Prints a connection's error. */
export function reportError(error: Error): void {
  process.stderr.write(`${error.message}\n`);
}

/** Timeout of commands, in ms: long, because loading a network queues many commands. */
const commandTimeoutMs = 60_000;

/**
 * Runs work with a private Redis, whose folder is removed afterwards.
 *
 * @param hasIndexCache Whether the allocator caches the index in memory, as the gateway's does. Without the cache every query reads from
 * the server.
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

/** Disables rewrites of the append-only file during a run, as the peer's checkpoints are disabled. */
export async function withoutRewriting(redis: Redis): Promise<void> {
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
}

/** Runs work with a second allocator over the same server, which caches the index in memory, as the gateway's does. */
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
