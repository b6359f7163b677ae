import { claimStoreCode, type Keys, type RedisConnection, StoreCodeError } from "@petak/redis";
import type { LogFailure } from "../observability/logger.ts";

export interface SameStoreOptions {
  redis: RedisConnection;
  keys: Keys;
  /** The code of the store with which the gateway started. */
  storeCode: string;
  /** Called if Redis now has another store: its records must not be served under the ids of the first. */
  onOther: (error: StoreCodeError) => void;
  /** Called if the code could not be read. The check is repeated after the next connection. */
  logFailure: LogFailure;
}

/** Checks after a reconnection that Redis still has the store with which the gateway started, and writes the store's code again if Redis has lost it. */
export async function checkSameStore({ redis, keys, storeCode, onOther, logFailure }: SameStoreOptions): Promise<void> {
  try {
    const found = await claimStoreCode(redis, keys, storeCode);
    if (found === storeCode) return;
    onOther(
      new StoreCodeError(
        `Redis has another store than at the start of this gateway: its store code is ${found}, and was ${storeCode}. Calls are refused until the gateway is restarted`,
      ),
    );
  } catch (error) {
    logFailure("the check of the store code", error as Error);
  }
}
