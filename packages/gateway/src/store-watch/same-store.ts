import { claimStoreCode, type Keys, type RedisConnection, StoreCodeError } from "@petak/redis";
import type { TellFailure } from "../observability/tell-failure.ts";

/** What the check of a store needs. */
export interface SameStoreOptions {
  redis: RedisConnection;
  keys: Keys;
  /** The code of the store with which the gateway began. */
  storeCode: string;
  /** Hears that the store is another one now: its records must not be served under the ids of the first. */
  onOther: (error: StoreCodeError) => void;
  /** Hears that the store could not be asked. It is asked again with the next connection. */
  tell: TellFailure;
}

/**
 * Makes sure that a connection that has begun anew leads to the records with which the gateway began, and gives them their code again where Redis has
 * lost it.
 */
export async function checkSameStore({ redis, keys, storeCode, onOther, tell }: SameStoreOptions): Promise<void> {
  try {
    const found = await claimStoreCode(redis, keys, storeCode);
    if (found === storeCode) return;
    onOther(
      new StoreCodeError(
        `Redis has other records than those with which this gateway began: their store code is ${found}, and was ${storeCode}. Calls are refused until the gateway is started again`,
      ),
    );
  } catch (error) {
    tell("the store code", error as Error);
  }
}
