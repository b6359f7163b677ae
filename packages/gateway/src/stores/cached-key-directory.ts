import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Mode, type ModeName } from "@petak/protocol";
import type { KeyDirectory, KeyRecord, PublishableKeyRecord } from "../identity/index.ts";
import type { ParticipantStore } from "./participant-store.ts";

/** A key directory that remembers, and can be told to forget. */
export interface CachedKeyDirectory extends KeyDirectory {
  /** Forgets a key or a publishable key that has just been changed here. */
  forget(id: string): void;
}

/** What one gateway revokes stops at the others within this time, in ms. The protocol's documentation promises it. */
const cacheMs = 10_000;

/** Entries kept at most, keys that do not exist included: who makes keys up cannot fill the memory. */
const cacheMax = 10_000;

const keyIdPattern = /^key_(live|test)_[0-9a-z]{16}$/;
const publishableKeyPattern = /^pk_(live|test)_[0-9a-z]{24}$/;

/** Looks keys up in the participants' store. */
export function createCachedKeyDirectory(store: ParticipantStore, now: () => number): CachedKeyDirectory {
  const cache = new Map<string, { untilMs: number; record: Promise<KeyRecord | PublishableKeyRecord | undefined> }>();

  async function remembered<Found extends KeyRecord | PublishableKeyRecord>(
    id: string,
    find: () => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    const known = cache.get(id);
    if (known !== undefined && known.untilMs > now()) return (await known.record) as Found | undefined;
    const record = find();
    cache.delete(id);
    if (cache.size >= cacheMax) {
      const oldest = cache.keys().next().value;
      if (oldest !== undefined) cache.delete(oldest);
    }
    cache.set(id, { untilMs: now() + cacheMs, record });
    try {
      return await record;
    } catch (error) {
      cache.delete(id);
      throw error;
    }
  }

  return {
    forget: (id) => {
      cache.delete(id);
    },
    async findKey(keyId) {
      if (!keyIdPattern.test(keyId)) return undefined;
      return await remembered(keyId, async () => {
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
    async findPublishableKey(publishableKey) {
      if (!publishableKeyPattern.test(publishableKey)) return undefined;
      return await remembered(publishableKey, async () => {
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

/** A mode as ids spell it. */
export function modeName(mode: Mode): ModeName {
  return mode === Mode.LIVE ? "live" : "test";
}
