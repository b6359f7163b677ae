import { isStoreCode, newStoreCode } from "@petak/protocol";
import type { RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";

/** What stands in a store as its code is none, or is another than it was. */
export class StoreCodeError extends Error {
  override readonly name = "StoreCodeError";
}

/**
 * The code of a store: one Redis data set under one key prefix. It stands in every site id that the store gives out, so that no two stores give out the
 * same one. Whoever opens a store first gives it a random one; it never changes, and goes with the data wherever they are moved.
 *
 * @param own What the store gets where it has none. Whoever knows the store's code gives that: a server that writes to disk every second may have lost it.
 * @returns The code that the store has. Another than `own` where another process was first, or these are other records.
 * @throws {StoreCodeError} where what is there is no store code.
 */
export async function claimStoreCode(redis: RedisConnection, keys: Keys, own: string = newStoreCode()): Promise<string> {
  // Read first: a server that takes no changes has one all the same.
  const known = (await redis.get(keys.storeCode())) ?? (await redis.set(keys.storeCode(), own, "NX", "GET")) ?? own;
  return checked(known, keys);
}

function checked(storeCode: string, keys: Keys): string {
  if (isStoreCode(storeCode)) return storeCode;
  throw new StoreCodeError(
    `the key ${keys.storeCode()} in Redis holds no store code: restore the data from a backup, or use another keyPrefix`,
  );
}
