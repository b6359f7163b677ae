import { isStoreCode, newStoreCode } from "@petak/protocol";
import type { RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";

/** The store's code is invalid or has changed. */
export class StoreCodeError extends Error {
  override readonly name = "StoreCodeError";
}

/**
 * Returns the code of a store, that is, of one Redis data set under one key prefix. Every site id that the store issues contains it, so
 * that no two stores issue the same id. The first process that opens a store gives it a random code, which never changes and moves with the
 * data.
 *
 * @param own The code to write if the store has none. A process that knows the store's code passes it, because a server that syncs to disk
 * every second may have lost it.
 * @returns The store's code. It differs from `own` if another process was first, or if this is another store.
 * @throws {StoreCodeError} if the stored value is not a store code.
 */
export async function claimStoreCode(redis: RedisConnection, keys: Keys, own: string = newStoreCode()): Promise<string> {
  // Read first, because a server that rejects writes may still have the code.
  const known = (await redis.get(keys.storeCode())) ?? (await redis.set(keys.storeCode(), own, "NX", "GET")) ?? own;
  return checked(known, keys);
}

function checked(storeCode: string, keys: Keys): string {
  if (isStoreCode(storeCode)) return storeCode;
  throw new StoreCodeError(
    `the key ${keys.storeCode()} in Redis does not contain a store code: restore the data from a backup, or use another keyPrefix`,
  );
}
