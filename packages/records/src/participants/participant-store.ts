import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Key,
  KeySchema,
  Mode,
  type Participant,
  ParticipantSchema,
  type PublishableKey,
  PublishableKeySchema,
  parseSiteId,
  Role,
} from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { defaultQuotas, type Quotas, quotaExhausted } from "../quotas/quotas.ts";
import { endLease } from "../sites/agent-leases.ts";
import { createKeyLists, type KeyGroup, type ListedKey, quotaOfKind } from "./key-list.ts";

/** One page of a participant's keys. */
export interface KeyPage {
  keys: Key[];
  publishableKeys: PublishableKey[];
  /** The last key of the page, after which the next one begins; undefined if this is the last page. */
  next: ListedKey | undefined;
}

/** One page of the participants. */
export interface ParticipantPage {
  participants: Participant[];
  /** The last id of the page, after which the next one begins; undefined if this is the last page. */
  next: string | undefined;
}

/** Participants and their keys. Their ids follow from the request that creates them, so adding is idempotent. */
export interface ParticipantStore {
  /**
   * Adds a participant unless one with its id exists. Returns the stored one.
   *
   * @throws {PetakError} QUOTA_EXHAUSTED, unless `isUnlimited`.
   */
  add(participant: Participant, isUnlimited?: boolean): Promise<Participant>;
  find(participantId: string): Promise<Participant | undefined>;
  /** Sets the limits on holds of a participant that {@link find} returned. Undefined: it has none of its own. Returns the stored one. */
  setHoldLimits(participant: Participant, holdLimits: Participant["holdLimits"]): Promise<Participant>;
  /** Up to `count` participants by id, from the first after `after`. */
  list(after: string, count: number): Promise<ParticipantPage>;
  /**
   * Adds a key unless one with its id exists. Returns the stored one.
   *
   * @param beforeUse done once it is certain that the key may be added, before anybody can use it. If it fails, the key is not added
   * @throws {PetakError} QUOTA_EXHAUSTED.
   */
  addKey(key: Key, beforeUse?: () => Promise<void>): Promise<Key>;
  findKey(keyId: string): Promise<Key | undefined>;
  /**
   * Revokes a key, unless it is revoked. The record of a revoked key ends after {@link revokedKeptMs}; an administrator's stays. The watermark of an agent's
   * key ends after {@link responseTtlMs}, in any case after the last report with a key that some gateway still takes for valid.
   */
  revokeKey(key: Key, revokedAt: NonNullable<Key["revokedAt"]>): Promise<void>;
  /** Adds a publishable key unless it exists, as {@link addKey} does. */
  addPublishableKey(key: PublishableKey, beforeUse?: () => Promise<void>): Promise<PublishableKey>;
  findPublishableKey(publishableKey: string): Promise<PublishableKey | undefined>;
  revokePublishableKey(key: PublishableKey, revokedAt: NonNullable<Key["revokedAt"]>): Promise<void>;
  /** Up to `count` of a participant's keys in the order of {@link ListedKey}, from the first after `after`. */
  keysOf(participantId: string, after: ListedKey | undefined, count: number, nowMs: number): Promise<KeyPage>;
}

/**
 * How long revoked keys are listed, in ms: 30 days, in which somebody may ask which key it was. Nothing else needs them: receipts and countersignatures
 * have the public keys that verify them.
 */
export const revokedKeptMs = 30 * 86_400_000;

const claimScript = createScript("claim-member");

/** Stores participants in Redis. A list is extended before the record is written: after a crash in between, the repeated request writes it. */
export function createParticipantStore(redis: RedisConnection, keys: Keys, quotas: Quotas = defaultQuotas): ParticipantStore {
  const lists = createKeyLists(redis, keys);

  async function read<Desc extends DescMessage>(schema: Desc, key: string): Promise<MessageShape<Desc> | undefined> {
    const bytes = await redis.getBuffer(key);
    return bytes === null ? undefined : fromBinary(schema, bytes);
  }

  async function writeNew<Desc extends DescMessage>(schema: Desc, key: string, message: MessageShape<Desc>): Promise<MessageShape<Desc>> {
    const before = await redis.setBuffer(key, Buffer.from(toBinary(schema, message)), "NX", "GET");
    return before === null ? message : fromBinary(schema, before);
  }

  const recordKeyOf = (keyId: string) => (keyId.startsWith("pk_") ? keys.publishableKey(keyId) : keys.key(keyId));

  /** For how long an owner's revoked keys are listed. Those of administrators stay, because a gateway registers the key in its key file again. */
  async function keptMs(participantId: string): Promise<number | undefined> {
    const owner = await store.find(participantId);
    return owner?.roles.includes(Role.ADMIN) === true ? undefined : revokedKeptMs;
  }

  async function claim(group: KeyGroup, keyId: string, createdAt: Key["createdAt"]): Promise<void> {
    const quota = quotaOfKind[group.kind];
    const limit = quotas[quota];
    const kept = await keptMs(group.participantId);
    const outcome = await lists.claim(group, keyId, createdAt === undefined ? 0 : timestampMs(createdAt), limit, kept);
    if (!outcome.claimed) throw quotaExhausted({ quota, limit, used: outcome.used, subject: group.participantId });
    await Promise.all(outcome.left.map((left) => redis.del(recordKeyOf(left))));
  }

  async function revoke<Desc extends typeof KeySchema | typeof PublishableKeySchema>(
    schema: Desc,
    group: KeyGroup,
    keyId: string,
    message: MessageShape<Desc>,
    revokedAt: NonNullable<Key["revokedAt"]>,
  ): Promise<void> {
    const kept = await keptMs(group.participantId);
    const bytes = Buffer.from(toBinary(schema, { ...message, revokedAt: message.revokedAt ?? revokedAt }));
    if (kept === undefined) await redis.set(recordKeyOf(keyId), bytes);
    else await redis.set(recordKeyOf(keyId), bytes, "PX", kept);
    await lists.revoke(group, keyId, timestampMs(message.revokedAt ?? revokedAt));
  }

  /** Lets the watermark and the lease of a revoked agent's key end. A watermark is made if there is none: a first report that is under way must not leave one that does not end. */
  async function endWatermark({ keyId, siteId }: Key): Promise<void> {
    const id = parseSiteId(siteId);
    if (id === undefined) return;
    const watermark = keys.agentWatermark(id.region, id.siteNumber, keyId);
    await redis.set(watermark, 0, "PX", responseTtlMs, "NX");
    await redis.pexpire(watermark, responseTtlMs, "NX");
    await endLease(redis, keys.agentLease(id.region, id.siteNumber, keyId));
  }

  const store: ParticipantStore = {
    async add(participant, isUnlimited = false) {
      const { participantId } = participant;
      const limit = quotas.participantsMax;
      const most = isUnlimited ? Number.MAX_SAFE_INTEGER : limit;
      const [tag, used] = await claimScript(redis, [keys.participants()], [most, participantId]);
      if (tag === "full") throw quotaExhausted({ quota: "participantsMax", limit, used: Number(used), subject: "gateway" });
      return await writeNew(ParticipantSchema, keys.participant(participantId), participant);
    },
    find: (participantId) => read(ParticipantSchema, keys.participant(participantId)),
    async setHoldLimits({ holdLimits: _before, ...participant }, holdLimits) {
      const after = { ...participant, ...(holdLimits && { holdLimits }) };
      await redis.set(keys.participant(participant.participantId), Buffer.from(toBinary(ParticipantSchema, after)));
      return after;
    },
    async list(after, count) {
      // As many as the limit allows, each some 20 bytes.
      const ids = (await redis.smembers(keys.participants())).filter((id) => id > after).sort();
      const found = await Promise.all(ids.slice(0, count).map((id) => store.find(id)));
      return { participants: found.filter((one) => one !== undefined), next: ids.length > count ? ids[count - 1] : undefined };
    },
    async addKey(key, beforeUse) {
      await claim(groupOfKey(key), key.keyId, key.createdAt);
      await beforeUse?.();
      return await writeNew(KeySchema, keys.key(key.keyId), key);
    },
    findKey: (keyId) => read(KeySchema, keys.key(keyId)),
    async revokeKey(key, revokedAt) {
      await revoke(KeySchema, groupOfKey(key), key.keyId, key, revokedAt);
      // Last: the watermark of a key that can still be used must not end.
      await endWatermark(key);
    },
    async addPublishableKey(key, beforeUse) {
      await claim(groupOfPublishableKey(key), key.publishableKey, key.createdAt);
      await beforeUse?.();
      return await writeNew(PublishableKeySchema, keys.publishableKey(key.publishableKey), key);
    },
    findPublishableKey: (publishableKey) => read(PublishableKeySchema, keys.publishableKey(publishableKey)),
    revokePublishableKey: (key, revokedAt) => revoke(PublishableKeySchema, groupOfPublishableKey(key), key.publishableKey, key, revokedAt),
    async keysOf(participantId, after, count, nowMs) {
      const listed = await lists.page(participantId, after, count + 1);
      const page: KeyPage = { keys: [], publishableKeys: [], next: listed.length > count ? listed[count - 1] : undefined };
      const read = listed.slice(0, count).map(async (entry) => {
        const { keyId } = entry;
        return { entry, key: await (keyId.startsWith("pk_") ? store.findPublishableKey(keyId) : store.findKey(keyId)) };
      });
      for (const { entry, key } of await Promise.all(read)) {
        if (key === undefined) {
          // The record has ended, or the request was cut off and will not be repeated.
          if (Math.abs(entry.score) < nowMs - responseTtlMs) await lists.remove(participantId, entry);
        } else if (key.$typeName === "petak.v1.Key") page.keys.push(key);
        else page.publishableKeys.push(key);
      }
      return page;
    },
  };
  return store;
}

/** The list that a key is in. */
export function groupOfKey({ participantId, mode, siteId }: Key): KeyGroup {
  return { participantId, mode: modeName(mode), kind: siteId === "" ? "own" : "agent" };
}

/** The list that a publishable key is in. */
export function groupOfPublishableKey({ participantId, mode }: PublishableKey): KeyGroup {
  return { participantId, mode: modeName(mode), kind: "publishable" };
}

function modeName(mode: Mode): KeyGroup["mode"] {
  return mode === Mode.LIVE ? "live" : "test";
}
