import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Mode, type ModeName } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import { RecentMap } from "../transport/limits/recent-map.ts";
import type { Found, KeyDirectory, KeyRecord, PublishableKeyRecord } from "./index.ts";

/** A key directory with a cache. */
export interface CachedKeyDirectory extends KeyDirectory {
  /** Removes a key or publishable key from the cache, after a change by this gateway. */
  forget(id: string): void;
}

/** Time until a revocation takes effect at other gateways, in ms. The protocol's documentation promises it. */
const cacheMs = 10_000;

/** Most cached keys, and most ids of keys that do not exist, so that invented ones cannot fill the memory. */
const defaultCacheMax = 10_000;

const keyIdPattern = /^key_(live|test)_[0-9a-z]{16}$/;
const publishableKeyPattern = /^pk_(live|test)_[0-9a-z]{24}$/;

/** Creates a cached directory over the participant store. */
export function createCachedKeyDirectory(
  store: Pick<ParticipantStore, "find" | "findKey" | "findPublishableKey">,
  now: () => number,
  cacheMax = defaultCacheMax,
): CachedKeyDirectory {
  const keys = createCache<KeyRecord>(now, cacheMax);
  const publishableKeys = createCache<PublishableKeyRecord>(now, cacheMax);

  return {
    forget(id) {
      keys.forget(id);
      publishableKeys.forget(id);
    },
    isKnown: (id) => keys.isKnown(id) || publishableKeys.isKnown(id),
    findKey(keyId) {
      if (!keyIdPattern.test(keyId)) return undefined;
      return keys.find(keyId, async () => {
        const key = await store.findKey(keyId);
        const participant = key === undefined ? undefined : await store.find(key.participantId);
        if (key === undefined || participant === undefined) return undefined;
        return {
          keyId,
          participantId: key.participantId,
          roles: participant.roles,
          ...(participant.holdLimits && { holdLimits: participant.holdLimits }),
          mode: modeName(key.mode),
          publicKey: key.publicKey,
          ...(key.siteId === "" ? {} : { siteId: key.siteId }),
          ...(key.revokedAt === undefined ? {} : { revokedAtMs: timestampMs(key.revokedAt) }),
        };
      });
    },
    findPublishableKey(publishableKey) {
      if (!publishableKeyPattern.test(publishableKey)) return undefined;
      return publishableKeys.find(publishableKey, async () => {
        const key = await store.findPublishableKey(publishableKey);
        if (key === undefined) return undefined;
        return {
          publishableKey,
          participantId: key.participantId,
          mode: modeName(key.mode),
          origins: key.origins,
          requestsPerSecond: key.requestsPerSecond,
          ...(key.revokedAt === undefined ? {} : { revokedAtMs: timestampMs(key.revokedAt) }),
        };
      });
    },
  };
}

interface Cache<Wanted> {
  find(id: string, look: () => Promise<Wanted | undefined>): Found<Wanted>;
  /** Whether the last look-up found it, however long ago. */
  isKnown(id: string): boolean;
  forget(id: string): void;
}

/**
 * Caches results of look-ups for {@link cacheMs}, including that a key does not exist. Keys that do not exist have a cache of their own, so that
 * invented ones cannot drive the others out.
 */
function createCache<Wanted>(now: () => number, cacheMax: number): Cache<Wanted> {
  const found = new RecentMap<{ untilMs: number; record: Wanted }>(cacheMax);
  const absentUntilMs = new RecentMap<number>(cacheMax);
  const looking = new Map<string, Promise<Wanted | undefined>>();

  function keep(id: string, record: Wanted | undefined, untilMs: number): void {
    found.delete(id);
    absentUntilMs.delete(id);
    if (record === undefined) absentUntilMs.put(id, untilMs);
    else found.put(id, { untilMs, record });
  }

  async function lookUp(id: string, look: () => Promise<Wanted | undefined>, isCurrent: () => boolean): Promise<Wanted | undefined> {
    const untilMs = now() + cacheMs;
    try {
      const record = await look();
      // It may have been forgotten meanwhile, because it has changed.
      if (isCurrent()) keep(id, record, untilMs);
      return record;
    } finally {
      if (isCurrent()) looking.delete(id);
    }
  }

  return {
    isKnown: (id) => found.has(id),
    forget(id) {
      found.delete(id);
      absentUntilMs.delete(id);
      looking.delete(id);
    },
    find(id, look) {
      const known = found.find(id);
      if (known !== undefined && known.untilMs > now()) return known.record;
      if ((absentUntilMs.find(id) ?? 0) > now()) return undefined;
      const begun = looking.get(id);
      if (begun !== undefined) return begun;
      const promise: Promise<Wanted | undefined> = lookUp(id, look, () => looking.get(id) === promise);
      // The caller may not await it.
      promise.catch(() => {});
      looking.set(id, promise);
      return promise;
    },
  };
}

/** The name of a mode in ids. */
export function modeName(mode: Mode): ModeName {
  return mode === Mode.LIVE ? "live" : "test";
}
