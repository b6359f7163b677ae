import type { Keys, RedisConnection } from "@petak/redis";

/** Proofs of calls that were used. */
export interface UsedProofs {
  /**
   * Marks a key's proof as used. Returns false if it was used before, at whichever gateway of the store.
   *
   * @param leftMs how long this gateway still accepts it, by the last of its clocks
   */
  use(keyId: string, proofId: string, leftMs: number): Promise<boolean>;
}

/** How much longer a used proof is remembered, in ms: the clocks of the gateways may differ by as much. */
const clocksDifferMs = 210_000;

/** Stores used proofs in Redis. A failover may forget the last ones; a proof that is used again then repeats a request that has the same `request_id`. */
export function createUsedProofs(redis: RedisConnection, keys: Keys): UsedProofs {
  return {
    use: async (keyId, proofId, leftMs) =>
      (await redis.set(keys.usedProof(keyId, proofId), "", "PX", Math.ceil(leftMs) + clocksDifferMs, "NX")) !== null,
  };
}
