import type { EventType, ModeName } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** A key of an endpoint. Written once and never changed: when the key before it stops to sign is said by this one. */
export interface StoredWebhookKey {
  /** From 1. */
  number: number;
  createdMs: number;
  /** How long the key before it signs on, in ms. */
  overlapMs: number;
  /** The request that made it, so that its repetition makes no other. */
  requestId: string;
}

/** A webhook endpoint as its owner made it. */
export interface StoredWebhook {
  endpointId: string;
  participantId: string;
  mode: ModeName;
  createdMs: number;
  url: string;
  /** Empty: all. */
  eventTypes: EventType[];
  label: string;
  isPaused: boolean;
  /** When this URL last took a test event, in ms. */
  verifiedMs: number | undefined;
  /** In the order of their numbers. */
  keys: StoredWebhookKey[];
}

/** What an owner can change. What is not given stays as it is. */
export type WebhookChanges = Partial<Pick<StoredWebhook, "url" | "eventTypes" | "label" | "isPaused">>;

/** Webhook endpoints. Each property is a field of its own, so that two changes at once do not undo one another. */
export interface WebhookStore {
  /** Writes an endpoint where none with its id is there. False: its owner has `max` others. */
  add(endpoint: Omit<StoredWebhook, "verifiedMs">, max: number): Promise<boolean>;
  find(endpointId: string): Promise<StoredWebhook | undefined>;
  /** A participant's endpoints in one network, in the order in which they were made. */
  listOf(participantId: string, mode: ModeName): Promise<StoredWebhook[]>;
  /** The ids of all endpoints. */
  all(): Promise<string[]>;
  change(endpointId: string, changes: WebhookChanges): Promise<void>;
  /** Notes that a URL took a test event. It says nothing of another URL that the endpoint may have by now. */
  verify(endpointId: string, url: string, atMs: number): Promise<void>;
  /** Adds the next key, unless the request has added one. */
  addKey(endpointId: string, key: Omit<StoredWebhookKey, "number">): Promise<void>;
  remove(endpoint: Pick<StoredWebhook, "endpointId" | "participantId" | "mode">): Promise<void>;
}

type Fields = Record<string, string>;

const keyField = (number: number) => `key:${number}`;

/** Keeps endpoints in Redis. */
export function createWebhookStore(redis: RedisConnection, keys: Keys): WebhookStore {
  /** Writes fields of an endpoint that is there. One that was removed meanwhile must not come back in part. */
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
      // Field by field: a repetition must not undo what was changed since.
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
    all: () => redis.smembers(keys.webhookEndpoints()),
    change: (endpointId, changes) => write(endpointId, fieldsOf(changes)),
    verify: (endpointId, url, atMs) => write(endpointId, { verified: JSON.stringify({ url, atMs }) }),
    async addKey(endpointId, key) {
      for (;;) {
        const endpoint = await store.find(endpointId);
        if (endpoint === undefined || endpoint.keys.some(({ requestId }) => requestId === key.requestId)) return;
        const number = (endpoint.keys.at(-1)?.number ?? 0) + 1;
        const isAdded = await redis.hsetnx(keys.webhookEndpoint(endpointId), keyField(number), JSON.stringify({ ...key, number }));
        if (isAdded === 1) return;
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
