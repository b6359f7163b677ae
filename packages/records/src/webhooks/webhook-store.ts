import type { EventType, ModeName } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** A signing key of an endpoint. Immutable: when a key stops signing is stored with its successor. */
export interface StoredWebhookKey {
  /** From 1. */
  number: number;
  /** In ms since 1970. */
  createdMs: number;
  /** How long the previous key continues to sign, in ms. */
  overlapMs: number;
  /** The request that created it, so that a repetition creates no other. */
  requestId: string;
}

/** A webhook endpoint. */
export interface StoredWebhook {
  endpointId: string;
  participantId: string;
  mode: ModeName;
  createdMs: number;
  url: string;
  /** The types of events to deliver. Empty: all. */
  eventTypes: EventType[];
  label: string;
  isPaused: boolean;
  /** When this URL last accepted a test event, in ms since 1970. Undefined: never. */
  verifiedMs: number | undefined;
  /** By ascending number. */
  keys: StoredWebhookKey[];
}

/** The properties that an owner can change. What is left out stays unchanged. */
export type WebhookChanges = Partial<Pick<StoredWebhook, "url" | "eventTypes" | "label" | "isPaused">>;

/** Webhook endpoints. Each property is a separate hash field, so that concurrent changes do not overwrite each other. */
export interface WebhookStore {
  /** Adds an endpoint unless one with its id exists. Returns false if its owner has `max` others. */
  add(endpoint: Omit<StoredWebhook, "verifiedMs">, max: number): Promise<boolean>;
  find(endpointId: string): Promise<StoredWebhook | undefined>;
  /** A participant's endpoints in one network, oldest first. */
  listOf(participantId: string, mode: ModeName): Promise<StoredWebhook[]>;
  /** The number of a participant's endpoints in one network. */
  count(participantId: string, mode: ModeName): Promise<number>;
  /** The ids of all endpoints. */
  all(): Promise<string[]>;
  change(endpointId: string, changes: WebhookChanges): Promise<void>;
  /** Records that a URL accepted a test event. Has no effect if the endpoint has another URL by now. @param atMs in ms since 1970 */
  verify(endpointId: string, url: string, atMs: number): Promise<void>;
  /** Adds a key with the next number, unless the same request has added one. The latest {@link keysKept} are kept. */
  addKey(endpointId: string, key: Omit<StoredWebhookKey, "number">): Promise<void>;
  remove(endpoint: Pick<StoredWebhook, "endpointId" | "participantId" | "mode">): Promise<void>;
}

type Fields = Record<string, string>;

/** The latest keys that are kept of an endpoint: more than sign at once, since a request may be repeated after others. */
const keysKept = 10;

const keyField = (number: number) => `key:${number}`;

/** Stores webhook endpoints in Redis. */
export function createWebhookStore(redis: RedisConnection, keys: Keys): WebhookStore {
  /** Writes fields of an existing endpoint. One that was removed meanwhile must not be partly recreated. */
  async function write(endpointId: string, fields: Fields): Promise<void> {
    if (Object.keys(fields).length === 0) return;
    const key = keys.webhookEndpoint(endpointId);
    await redis.hset(key, fields);
    if ((await redis.hexists(key, "made")) === 0) await redis.del(key);
  }

  const store: WebhookStore = {
    async add(endpoint, max) {
      const { endpointId, participantId, mode, createdMs } = endpoint;
      const own = keys.webhookEndpointsOf(participantId, mode);
      const isNew = (await redis.zadd(own, "NX", String(createdMs), endpointId)) === 1;
      if (isNew && (await redis.zcard(own)) > max) {
        await redis.zrem(own, endpointId);
        return false;
      }
      const { keys: signing, ...changes } = endpoint;
      const fields = {
        ...fieldsOf(changes),
        ...Object.fromEntries(signing.map((key) => [keyField(key.number), JSON.stringify(key)])),
        made: JSON.stringify({ participantId, mode, createdMs }),
      };
      // Only missing fields: a repeated request must not undo later changes.
      await Promise.all(Object.entries(fields).map(([field, value]) => redis.hsetnx(keys.webhookEndpoint(endpointId), field, value)));
      await redis.sadd(keys.webhookEndpoints(), endpointId);
      return true;
    },
    async find(endpointId) {
      const fields = await redis.hgetall(keys.webhookEndpoint(endpointId));
      return fields.made === undefined ? undefined : endpointIn(endpointId, fields);
    },
    async listOf(participantId, mode) {
      const ids = await redis.zrange(keys.webhookEndpointsOf(participantId, mode), "0", "-1");
      const found = await Promise.all(ids.map((id) => store.find(id)));
      return found.filter((endpoint) => endpoint !== undefined);
    },
    count: (participantId, mode) => redis.zcard(keys.webhookEndpointsOf(participantId, mode)),
    all: () => redis.smembers(keys.webhookEndpoints()),
    change: (endpointId, changes) => write(endpointId, fieldsOf(changes)),
    verify: (endpointId, url, atMs) => write(endpointId, { verified: JSON.stringify({ url, atMs }) }),
    async addKey(endpointId, key) {
      for (;;) {
        const endpoint = await store.find(endpointId);
        if (endpoint === undefined || endpoint.keys.some(({ requestId }) => requestId === key.requestId)) return;
        const number = (endpoint.keys.at(-1)?.number ?? 0) + 1;
        const isAdded = await redis.hsetnx(keys.webhookEndpoint(endpointId), keyField(number), JSON.stringify({ ...key, number }));
        if (isAdded === 0) continue;
        const old = endpoint.keys.filter((key) => key.number <= number - keysKept).map((key) => keyField(key.number));
        if (old.length > 0) await redis.hdel(keys.webhookEndpoint(endpointId), ...old);
        return;
      }
    },
    async remove({ endpointId, participantId, mode }) {
      await redis.del(keys.webhookEndpoint(endpointId));
      await redis.srem(keys.webhookEndpoints(), endpointId);
      await redis.zrem(keys.webhookEndpointsOf(participantId, mode), endpointId);
    },
  };
  return store;
}

function fieldsOf({ url, eventTypes, label, isPaused }: WebhookChanges): Fields {
  return {
    ...(url === undefined ? {} : { url }),
    ...(eventTypes === undefined ? {} : { eventTypes: eventTypes.join(",") }),
    ...(label === undefined ? {} : { label }),
    ...(isPaused === undefined ? {} : { isPaused: isPaused ? "1" : "0" }),
  };
}

function endpointIn(endpointId: string, fields: Fields): StoredWebhook {
  const { url = "", eventTypes = "", label = "", isPaused, made = "", verified } = fields;
  const verification = verified === undefined ? undefined : (JSON.parse(verified) as { url: string; atMs: number });
  const signing = Object.entries(fields).filter(([field]) => field.startsWith("key:"));
  return {
    ...(JSON.parse(made) as Pick<StoredWebhook, "participantId" | "mode" | "createdMs">),
    endpointId,
    url,
    eventTypes: eventTypes === "" ? [] : (eventTypes.split(",").map(Number) as EventType[]),
    label,
    isPaused: isPaused === "1",
    verifiedMs: verification?.url === url ? verification.atMs : undefined,
    keys: signing.map(([, value]) => JSON.parse(value) as StoredWebhookKey).sort((a, b) => a.number - b.number),
  };
}
