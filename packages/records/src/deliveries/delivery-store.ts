import type { Keys, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";

/** What is remembered of one subscriber: names and values, which mean something to whoever delivers. */
export type DeliveryFields = Readonly<Record<string, string>>;

/** A delivery that failed and is to be tried again. */
export interface StoredRetry {
  /** The event's id. Of one event there is one retry. */
  id: string;
  /** When it is due, in ms. */
  dueMs: number;
  content: Buffer;
}

/** Events of the past that are to be delivered once more. */
export interface StoredReplay {
  id: string;
  content: string;
}

/** What came of some deliveries. What is not given stays as it was. */
export interface DeliveryChanges {
  /** Fields to write; an empty value takes the field away. */
  fields?: DeliveryFields;
  /** Ids of the retries that are over. */
  over?: readonly string[];
  retries?: readonly StoredRetry[];
  /** Replays that have got on; an empty content ends one. */
  replays?: readonly StoredReplay[];
}

/** What became of a lease: `taken` was nobody's before, `kept` was the asker's, `held` is somebody else's. */
export type LeaseOutcome = "taken" | "kept" | "held";

/**
 * How far the delivery of events to subscribers has come. One deliverer at a time holds a subscriber's lease; what it writes without holding
 * it any more is refused, so that one who was thought dead cannot undo what its successor has done.
 */
export interface DeliveryStore {
  /** Takes the lease of a subscriber, or holds on to it, for so many ms by the server's clock. */
  lease(subscriberId: string, token: string, ttlMs: number): Promise<LeaseOutcome>;
  /** Gives the lease back, where it is the asker's. */
  release(subscriberId: string, token: string): Promise<void>;
  /** Writes fields where they are not there yet. */
  begin(subscriberId: string, fields: DeliveryFields): Promise<void>;
  fields(subscriberId: string): Promise<DeliveryFields>;
  /** Takes fields away, whoever holds the lease: a subscriber's owner has decided. */
  clear(subscriberId: string, fields: readonly string[]): Promise<void>;
  /** Writes what came of deliveries, all or nothing. False: the lease is somebody else's, and nothing was written. */
  commit(subscriberId: string, token: string, changes: DeliveryChanges): Promise<boolean>;
  /** Retries that are due, the longest first, at most `limit`. */
  due(subscriberId: string, nowMs: number, limit: number): Promise<StoredRetry[]>;
  /** How many retries there are, and when the first is due, in ms. */
  pending(subscriberId: string): Promise<{ count: number; nextMs: number | undefined }>;
  /** Makes all retries due at once: whoever failed works again. */
  bringForward(subscriberId: string, nowMs: number): Promise<void>;
  replays(subscriberId: string): Promise<StoredReplay[]>;
  /** Adds a replay unless it is there. False: there are as many as may be already. */
  addReplay(subscriberId: string, replay: StoredReplay, max: number): Promise<boolean>;
  /** Forgets a subscriber, with its lease. */
  remove(subscriberId: string): Promise<void>;
}

const leaseScript = createScript("hold-lease");
const commitScript = createScript("commit-deliveries");

/** Keeps it in Redis, all of one subscriber in one slot. */
export function createDeliveryStore(redis: RedisConnection, keys: Keys): DeliveryStore {
  const store: DeliveryStore = {
    async lease(subscriberId, token, ttlMs) {
      const [tag] = await leaseScript(redis, [keys.deliveryLease(subscriberId)], [token, ttlMs]);
      return tag as LeaseOutcome;
    },
    async release(subscriberId, token) {
      await leaseScript(redis, [keys.deliveryLease(subscriberId)], [token, 0]);
    },
    async begin(subscriberId, fields) {
      const key = keys.deliveryState(subscriberId);
      await Promise.all(Object.entries(fields).map(([field, value]) => redis.hsetnx(key, field, value)));
    },
    fields: (subscriberId) => redis.hgetall(keys.deliveryState(subscriberId)),
    async clear(subscriberId, fields) {
      await redis.hdel(keys.deliveryState(subscriberId), ...fields);
    },
    async commit(subscriberId, token, { fields = {}, over = [], retries = [], replays = [] }) {
      const [tag] = await commitScript(
        redis,
        [
          keys.deliveryLease(subscriberId),
          keys.deliveryState(subscriberId),
          keys.deliveryDue(subscriberId),
          keys.deliveryRetries(subscriberId),
          keys.deliveryReplays(subscriberId),
        ],
        [
          token,
          Object.keys(fields).length,
          ...Object.entries(fields).flat(),
          over.length,
          ...over,
          retries.length,
          ...retries.flatMap(({ id, dueMs, content }) => [id, dueMs, content]),
          replays.length,
          ...replays.flatMap(({ id, content }) => [id, content]),
        ],
      );
      return tag === "done";
    },
    async due(subscriberId, nowMs, limit) {
      const found = await redis.zrangebyscore(keys.deliveryDue(subscriberId), "-inf", nowMs, "WITHSCORES", "LIMIT", 0, limit);
      const ids = found.filter((_, index) => index % 2 === 0);
      if (ids.length === 0) return [];
      const contents = await redis.hmgetBuffer(keys.deliveryRetries(subscriberId), ...ids);
      return ids.flatMap((id, index) => {
        const content = contents[index];
        return content == null ? [] : [{ id, dueMs: Number(found[2 * index + 1]), content }];
      });
    },
    async pending(subscriberId) {
      const key = keys.deliveryDue(subscriberId);
      const [count, [, next]] = await Promise.all([redis.zcard(key), redis.zrange(key, "0", "0", "WITHSCORES")]);
      return { count, nextMs: next === undefined ? undefined : Number(next) };
    },
    async bringForward(subscriberId, nowMs) {
      const key = keys.deliveryDue(subscriberId);
      const ids = await redis.zrangebyscore(key, `(${nowMs}`, "+inf");
      // Those that are over by now stay so.
      if (ids.length > 0) await Promise.all(ids.map((id) => redis.zadd(key, "XX", String(nowMs), id)));
    },
    async replays(subscriberId) {
      const found = await redis.hgetall(keys.deliveryReplays(subscriberId));
      return Object.entries(found).map(([id, content]) => ({ id, content }));
    },
    async addReplay(subscriberId, { id, content }, max) {
      const key = keys.deliveryReplays(subscriberId);
      if ((await redis.hlen(key)) >= max && (await redis.hexists(key, id)) === 0) return false;
      await redis.hsetnx(key, id, content);
      return true;
    },
    async remove(subscriberId) {
      // The lease first: whoever delivers writes nothing more then.
      await redis.del(keys.deliveryLease(subscriberId));
      const rest = [keys.deliveryState, keys.deliveryDue, keys.deliveryRetries, keys.deliveryReplays];
      await Promise.all(rest.map((keyOf) => redis.del(keyOf(subscriberId))));
    },
  };
  return store;
}
