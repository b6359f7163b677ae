import { randomUUID } from "node:crypto";
import type { Keys, RedisConnection } from "@petak/redis";
import type { SharedUse } from "../transport/index.ts";

/** Options of {@link shareCallersUse}. */
export interface CallersUseOptions {
  redis: RedisConnection;
  keys: Pick<Keys, "callersUse">;
  /** What is shared, by a name that all gateways give it. */
  uses: Readonly<Record<string, ToldUse>>;
}

/** Something whose use is told. */
export interface ToldUse {
  use: SharedUse;
  /** What is told begins with this count. Less than that makes little difference to others. */
  toldFrom: number;
}

/** How often a gateway tells and reads, in ms. What another gateway knows is up to twice as old. */
const intervalMs = 1000;

/** The callers that are told of for each use, those with most. About 2 kB. */
const toldMax = 64;

/** Rounds without a new word after which a gateway counts as gone. */
const silentRoundsMax = 5;

/** Rounds after which what a gateway that has gone told is deleted. */
const forgottenRounds = 60;

/** How long the hash outlives the last word of any gateway, in ms. */
const expiresMs = 60_000;

/** What was last heard of another gateway. */
interface Heard {
  text: string;
  silentRounds: number;
}

/**
 * Tells the other gateways of a store what callers use of this one, and takes what they use of others into account, so that a caller has no
 * more than its share by calling several gateways. While the store is unreachable, each gateway's own limits hold.
 *
 * Gateways compare no clocks: whoever says nothing new for five rounds counts as gone.
 */
export function shareCallersUse({ redis, keys, uses }: CallersUseOptions): { stop(): Promise<void> } {
  const own = randomUUID();
  const key = keys.callersUse();
  const heard = new Map<string, Heard>();
  let round = 0;
  let hasTold = false;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function tell(): Promise<void> {
    const use = Object.fromEntries(Object.entries(uses).map(([name, told]) => [name, heaviest(told)]));
    const isIdle = Object.values(use).every((callers) => Object.keys(callers).length === 0);
    if (isIdle && !hasTold) return;
    hasTold = !isIdle;
    await Promise.all([redis.hset(key, own, JSON.stringify({ round, use })), redis.pexpire(key, expiresMs)]);
  }

  async function read(): Promise<void> {
    const texts = new Map(Object.entries(await redis.hgetall(key)));
    texts.delete(own);
    for (const id of heard.keys()) if (!texts.has(id)) heard.delete(id);
    const elsewhere = new Map(Object.keys(uses).map((name) => [name, new Map<string, number>()]));
    const dead: string[] = [];
    for (const [id, text] of texts) {
      const before = heard.get(id);
      const silentRounds = before?.text === text ? before.silentRounds + 1 : 0;
      heard.set(id, { text, silentRounds });
      if (silentRounds > silentRoundsMax) {
        if (silentRounds > forgottenRounds) dead.push(id);
        continue;
      }
      const { use } = JSON.parse(text) as { use: Record<string, Record<string, number>> };
      for (const [name, sums] of elsewhere) {
        for (const [caller, count] of Object.entries(use[name] ?? {})) sums.set(caller, (sums.get(caller) ?? 0) + count);
      }
    }
    for (const [name, sums] of elsewhere) uses[name]?.use.setElsewhere(sums);
    if (dead.length > 0) await redis.hdel(key, ...dead);
  }

  async function share(): Promise<void> {
    round += 1;
    try {
      await Promise.all([tell(), read()]);
    } catch {
      // Other parts report an unreachable store.
      for (const { use } of Object.values(uses)) use.setElsewhere(new Map());
    }
    if (!isStopped) timer = setTimeout(() => void share(), intervalMs).unref();
  }

  void share();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      if (hasTold) await redis.hdel(key, own).catch(() => {});
    },
  };
}

/** What the callers with most have, by name. */
function heaviest({ use, toldFrom }: ToldUse): Record<string, number> {
  const heavy = [...use.here()].filter(([, count]) => count >= toldFrom).toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(heavy.slice(0, toldMax));
}
