import { randomBytes } from "node:crypto";
import { claimStoreCode, type Keys, type RedisConnection } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { DataVersionError, whyUnreadable } from "./data-version-error.ts";
import { type DataVersions, storeVersions, unstatedVersion } from "./data-versions.ts";

/** Options of {@link enterStore}. */
export interface EnterStoreOptions {
  redis: RedisConnection;
  keys: Keys;
  /** Default: those of this release. Tests stand in for other releases. */
  versions?: DataVersions;
  /** For how long a gateway counts as running after its last sign of life, in ms. Default 60,000. */
  registeredMs?: number;
  /** Takes the failure of a renewal, which is tried again. */
  onError: (error: Error) => void;
  /** Takes the reason why this release must not use the store any more: another gateway has raised its version meanwhile. Called once at most. */
  onRefused: (error: DataVersionError) => void;
}

/** A gateway's registration at a store. */
export interface StoreEntry {
  /** The store's code. */
  readonly storeCode: string;
  /** The versions of the data that the store may hold. */
  readonly oldest: number;
  readonly newest: number;
  /** Ends the registration. */
  leave(): Promise<void>;
}

/** The oldest and the newest version of a store's data. */
interface VersionRange {
  oldest: number;
  newest: number;
}

const enterScript = createScript("enter-store");

const registeredMsDefault = 60_000;

/**
 * Makes sure that this release may use a store, and registers it as a running gateway until {@link StoreEntry.leave}. A store without data gets the
 * version that this release writes, and then its code: nothing else is written before.
 *
 * The registration is renewed three times in `registeredMs` and with each new connection. A renewal restores the versions where the store has lost them,
 * and leaves a store with another code alone.
 *
 * @throws {DataVersionError} where the release cannot read the store's data, the store's data has lost its version, or a running gateway could not read
 * what this release writes.
 */
export async function enterStore(options: EnterStoreOptions): Promise<StoreEntry> {
  const { redis, keys, versions = storeVersions, registeredMs = registeredMsDefault, onError, onRefused } = options;
  const { oldestRead, newestRead, written } = versions;
  const gateway = randomBytes(12).toString("base64url");

  async function enter(ifUnstated: VersionRange | undefined): Promise<VersionRange> {
    const range = [ifUnstated?.oldest ?? "", ifUnstated?.newest ?? ""];
    const args = [gateway, oldestRead, newestRead, written, registeredMs, ...range];
    const [tag, oldest, newest] = (await enterScript(redis, [keys.dataVersion()], args)) as [string, number, number];
    if (tag === "entered") return { oldest, newest };
    if (tag === "unstated") {
      throw new DataVersionError(
        `The data in Redis states no version, which its key ${keys.dataVersion()} had: restore the data from a backup, set 'oldest' and 'newest' in that hash as docs/upgrading.md says, or give this one an empty Redis.`,
      );
    }
    if (tag === "unreadable") {
      const why = whyUnreadable("The data in Redis", { oldest, newest }, versions, "give this one an empty Redis");
      throw new DataVersionError(`${why}.`);
    }
    throw new DataVersionError(
      `A running gateway reads data only up to version ${oldest} and this release writes version ${written}: stop that gateway first (one that was killed counts for ${registeredMs / 1000} s), or start a release that writes version ${oldest}.`,
    );
  }

  const found = await enter(await unstatedRange(redis, keys, written));
  const storeCode = await claimStoreCode(redis, keys);
  let known = found;
  let isIn = true;
  async function enterAgain(): Promise<void> {
    const found = await claimStoreCode(redis, keys, storeCode);
    // It may have left meanwhile.
    if (isIn && found === storeCode) known = await enter(known);
  }
  const renew = () => {
    enterAgain().catch((error: Error) => {
      if (!isIn) return;
      if (!(error instanceof DataVersionError)) return onError(error);
      end();
      onRefused(error);
    });
  };
  // Two renewals may fail.
  const timer = setInterval(renew, registeredMs / 3);
  timer.unref();
  redis.on("ready", renew);
  function end(): void {
    isIn = false;
    clearInterval(timer);
    redis.off("ready", renew);
  }
  return {
    storeCode,
    ...found,
    async leave() {
      end();
      // Where the store cannot be reached, the registration ends by itself.
      await redis.hdel(keys.dataVersion(), gateway).catch(() => undefined);
    },
  };
}

/** The versions of a store's data where the store states none. Undefined: they cannot be known, since the store has lost them. */
async function unstatedRange(redis: RedisConnection, keys: Keys, written: number): Promise<VersionRange | undefined> {
  if ((await redis.exists(keys.storeCode())) > 0) return undefined;
  const version = (await hasData(redis, keys)) ? unstatedVersion : written;
  return { oldest: version, newest: version };
}

/** Whether the store has records of a gateway. Every gateway writes its secrets' fingerprint at its start; an operator may have deleted that. */
async function hasData(redis: RedisConnection, keys: Keys): Promise<boolean> {
  const found = await Promise.all([keys.gatewaySecrets(), keys.participants(), keys.regions()].map((key) => redis.exists(key)));
  return found.some((count) => count > 0);
}
