import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Mode, type ModeName } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { Found, KeyDirectory, KeyRecord, PublishableKeyRecord } from "./index.ts";

/** A key directory with a cache. */
export interface CachedKeyDirectory extends KeyDirectory {
  /** Removes a key or publishable key from the cache, after a change by this gateway. */
  forget(id: string): void;
}

/** Time until a revocation takes effect at other gateways, in ms. The protocol's documentation promises it. */
const cacheMs = 10_000;

/** Most cache entries, including keys that do not exist, so that invented keys cannot fill the memory. */
const cacheMax = 10_000;

const keyIdPattern = /^key_(live|test)_[0-9a-z]{16}$/;
const publishableKeyPattern = /^pk_(live|test)_[0-9a-z]{24}$/;

/** Creates a cached directory over the participant store. */
export function createCachedKeyDirectory(store: ParticipantStore, now: () => number): CachedKeyDirectory {
  const keys = createCache<KeyRecord>(now);
  const publishableKeys = createCache<PublishableKeyRecord>(now);

  return {
    forget(id) {
      keys.forget(id);
      publishableKeys.forget(id);
    },
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
  forget(id: string): void;
}

/** Caches results of look-ups for {@link cacheMs}, including that a key does not exist. */
function createCache<Wanted>(now: () => number): Cache<Wanted> {
  const entries = new Map<string, { untilMs: number; found: Found<Wanted> }>();

  async function settled(id: string, entry: { found: Found<Wanted> }, looking: Promise<Wanted | undefined>): Promise<Wanted | undefined> {
    try {
      const found = await looking;
      entry.found = found;
      return found;
    } catch (error) {
      if (entries.get(id) === entry) entries.delete(id);
      throw error;
    }
  }

  return {
    forget: (id) => void entries.delete(id),
    find(id, look) {
      const known = entries.get(id);
      if (known !== undefined && known.untilMs > now()) return known.found;
      entries.delete(id);
      if (entries.size >= cacheMax) {
        const oldest = entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
      }
      const entry: { untilMs: number; found: Found<Wanted> } = { untilMs: now() + cacheMs, found: undefined };
      const looking = settled(id, entry, look());
      // The caller may not await it.
      looking.catch(() => {});
      entry.found = looking;
      entries.set(id, entry);
      return entry.found;
    },
  };
}

/** The name of a mode in ids. */
export function modeName(mode: Mode): ModeName {
  return mode === Mode.LIVE ? "live" : "test";
}
