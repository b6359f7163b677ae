import type { Redis } from "ioredis";

export interface ServerClockMove {
  /** The simulated elapsed time, in ms. */
  byMs: number;
  /** The new time, in ms: entries added to a stream get this time or a later one. */
  nowMs: number;
}

/**
 * Simulates elapsed time for a part of a server, whose own clock cannot be moved: keys expire that much sooner, and new stream entries have the new time. Not for a
 * cluster.
 */
export async function moveServerClock(client: Redis, keyPrefix: string, { byMs, nowMs }: ServerClockMove): Promise<void> {
  for await (const found of client.scanStream({ match: `${keyPrefix}*`, count: 1000 })) {
    const keys = found as string[];
    if (keys.length === 0) continue;
    const looks = client.pipeline();
    for (const key of keys) looks.pttl(key).type(key);
    const replies = ((await looks.exec()) ?? []).map(([, reply]) => reply);
    const changes = client.pipeline();
    for (const [index, key] of keys.entries()) {
      const [ttlMs, type] = [Number(replies[2 * index]), replies[2 * index + 1]];
      // An expiry in the past deletes the key.
      if (ttlMs >= 0) changes.pexpire(key, ttlMs - byMs);
      if (type === "stream") changes.xsetid(key, `${nowMs}-0`);
    }
    await changes.exec();
  }
}
