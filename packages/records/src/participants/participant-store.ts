import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Key, KeySchema, type Participant, ParticipantSchema, type PublishableKey, PublishableKeySchema } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** Participants and their keys. Their ids follow from the request that creates them, so adding is idempotent. */
export interface ParticipantStore {
  /** Adds a participant unless one with its id exists. Returns the stored one. */
  add(participant: Participant): Promise<Participant>;
  find(participantId: string): Promise<Participant | undefined>;
  list(): Promise<Participant[]>;
  /** Adds a key unless one with its id exists. Returns the stored one. */
  addKey(key: Key): Promise<Key>;
  findKey(keyId: string): Promise<Key | undefined>;
  /** Replaces a key, to revoke it. */
  replaceKey(key: Key): Promise<void>;
  /** Adds a publishable key unless it exists. Returns the stored one. */
  addPublishableKey(key: PublishableKey): Promise<PublishableKey>;
  findPublishableKey(publishableKey: string): Promise<PublishableKey | undefined>;
  replacePublishableKey(key: PublishableKey): Promise<void>;
  /** A participant's keys, newest first. */
  keysOf(participantId: string): Promise<{ keys: Key[]; publishableKeys: PublishableKey[] }>;
}

/** Stores participants in Redis. */
export function createParticipantStore(redis: RedisConnection, keys: Keys): ParticipantStore {
  async function read<Desc extends DescMessage>(schema: Desc, key: string): Promise<MessageShape<Desc> | undefined> {
    const bytes = await redis.getBuffer(key);
    return bytes === null ? undefined : fromBinary(schema, bytes);
  }

  /** Writes a message unless the key exists, and adds it to a set. The set is written last: after a crash in between, the repeated request adds it. */
  async function add<Desc extends DescMessage>(
    schema: Desc,
    key: string,
    message: MessageShape<Desc>,
    set: string,
    member: string,
  ): Promise<MessageShape<Desc>> {
    const before = await redis.setBuffer(key, Buffer.from(toBinary(schema, message)), "NX", "GET");
    await redis.sadd(set, member);
    return before === null ? message : fromBinary(schema, before);
  }

  async function replace<Desc extends DescMessage>(schema: Desc, key: string, message: MessageShape<Desc>): Promise<void> {
    await redis.set(key, Buffer.from(toBinary(schema, message)));
  }

  const store: ParticipantStore = {
    add: (participant) =>
      add(ParticipantSchema, keys.participant(participant.participantId), participant, keys.participants(), participant.participantId),
    find: (participantId) => read(ParticipantSchema, keys.participant(participantId)),
    async list() {
      const ids = (await redis.smembers(keys.participants())).sort();
      const found = await Promise.all(ids.map((id) => store.find(id)));
      return found.filter((participant) => participant !== undefined);
    },
    addKey: (key) => add(KeySchema, keys.key(key.keyId), key, keys.participantKeys(key.participantId), key.keyId),
    findKey: (keyId) => read(KeySchema, keys.key(keyId)),
    replaceKey: (key) => replace(KeySchema, keys.key(key.keyId), key),
    addPublishableKey: (key) =>
      add(PublishableKeySchema, keys.publishableKey(key.publishableKey), key, keys.participantKeys(key.participantId), key.publishableKey),
    findPublishableKey: (publishableKey) => read(PublishableKeySchema, keys.publishableKey(publishableKey)),
    replacePublishableKey: (key) => replace(PublishableKeySchema, keys.publishableKey(key.publishableKey), key),
    async keysOf(participantId) {
      const ids = await redis.smembers(keys.participantKeys(participantId));
      const [found, publishable] = await Promise.all([
        Promise.all(ids.filter((id) => id.startsWith("key_")).map((id) => store.findKey(id))),
        Promise.all(ids.filter((id) => id.startsWith("pk_")).map((id) => store.findPublishableKey(id))),
      ]);
      return {
        keys: found.filter((key) => key !== undefined).sort(newestFirst),
        publishableKeys: publishable.filter((key) => key !== undefined).sort(newestFirst),
      };
    },
  };
  return store;
}

function newestFirst(a: Key | PublishableKey, b: Key | PublishableKey): number {
  return Number((b.createdAt?.seconds ?? 0n) - (a.createdAt?.seconds ?? 0n)) || (b.createdAt?.nanos ?? 0) - (a.createdAt?.nanos ?? 0);
}
