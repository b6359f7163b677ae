import type { Redis } from "ioredis";

/** How far a server's clock is to seem moved. */
export interface ServerClockMove {
  /** How much older everything gets, in ms. */
  byMs: number;
  /** The time that it is then, in ms: what is added to a stream gets this time or a later one. */
  nowMs: number;
}

/**
 * Makes a part of a server look as if time had passed there: keys that end by themselves end so much sooner, or have ended, and what is added to
 * its streams is dated by the new time. A server's own clock cannot be moved. Not over a cluster.
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
      // What has ended already is deleted by a time in the past.
      if (ttlMs >= 0) changes.pexpire(key, ttlMs - byMs);
      if (type === "stream") changes.xsetid(key, `${nowMs}-0`);
    }
    await changes.exec();
  }
}
