import type { ModeName } from "@petak/protocol";
import type { KeyKind, Keys, RedisConnection } from "@petak/redis";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import type { Quotas } from "../quotas/quotas.ts";

/** The list that a key is in. */
export interface KeyGroup {
  participantId: string;
  mode: ModeName;
  kind: KeyKind;
}

/** A key in the order in which a participant's keys are listed. */
export interface ListedKey {
  keyId: string;
  /** Index of its group: live before test, own keys before those of agents before publishable ones. */
  group: number;
  /** Time in ms at which it was made; if it is revoked, minus the time of its revocation. */
  score: number;
}

/** The outcome of {@link KeyLists.claim}: the revoked keys that left the list for it, or the number of keys that are in the way. */
export type KeyClaim = { claimed: true; left: string[] } | { claimed: false; used: number };

/** The ids of participants' keys, in one sorted set for each kind and network: it is counted and extended in one step, whichever gateways do it. */
export interface KeyLists {
  /** Adds a key unless the list is full. @param keptMs how long revoked keys are listed; undefined: for good */
  claim(group: KeyGroup, keyId: string, madeMs: number, limit: number, keptMs: number | undefined): Promise<KeyClaim>;
  /** Stops counting a key. */
  revoke(group: KeyGroup, keyId: string, revokedMs: number): Promise<void>;
  /** Removes a key whose record is gone. */
  remove(participantId: string, key: ListedKey): Promise<void>;
  /** Up to `count` keys after one, or the first. */
  page(participantId: string, after: ListedKey | undefined, count: number): Promise<ListedKey[]>;
}

const claimScript = createScript("claim-key");

const groups = (["live", "test"] as const).flatMap((mode) => (["own", "agent", "publishable"] as const).map((kind) => ({ mode, kind })));

/** The limit of each kind. */
export const quotaOfKind = {
  own: "keysMax",
  agent: "agentKeysMax",
  publishable: "publishableKeysMax",
} as const satisfies Record<KeyKind, keyof Quotas>;

/** Stores lists of keys in Redis. */
export function createKeyLists(redis: RedisConnection, keys: Keys): KeyLists {
  const keyOf = ({ kind, mode, participantId }: KeyGroup) => keys.keysOf(kind, mode, participantId);

  async function between(key: string, group: number, max: string, min: string, count: number): Promise<ListedKey[]> {
    const found = await redis.zrange(key, max, min, "BYSCORE", "REV", "LIMIT", 0, count, "WITHSCORES");
    return Array.from({ length: found.length / 2 }, (_, index) => ({
      keyId: found[index * 2] as string,
      group,
      score: Number(found[index * 2 + 1]),
    }));
  }

  return {
    async claim(group, keyId, madeMs, limit, keptMs) {
      const [tag, ...rest] = await claimScript(redis, [keyOf(group)], [keyId, madeMs, limit, keptMs ?? "", responseTtlMs]);
      return tag === "full" ? { claimed: false, used: Number(rest[0]) } : { claimed: true, left: rest.map(String) };
    },
    async revoke(group, keyId, revokedMs) {
      await redis.zadd(keyOf(group), "XX", -revokedMs, keyId);
    },
    async remove(participantId, { group, keyId }) {
      const { mode, kind } = groups[group] as (typeof groups)[number];
      await redis.zrem(keys.keysOf(kind, mode, participantId), keyId);
    },
    async page(participantId, after, count) {
      const found = await Promise.all(
        groups.map(async ({ mode, kind }, group) => {
          if (after !== undefined && group < after.group) return [];
          const key = keys.keysOf(kind, mode, participantId);
          if (after === undefined || group > after.group) return await between(key, group, "+inf", "-inf", count);
          const { score, keyId } = after;
          const [equal, lower] = await Promise.all([
            between(key, group, String(score), String(score), -1),
            between(key, group, `(${score}`, "-inf", count),
          ]);
          return [...equal.filter((other) => other.keyId < keyId), ...lower];
        }),
      );
      return found.flat().slice(0, count);
    },
  };
}
