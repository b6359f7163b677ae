import type { Keys, RedisConnection } from "@petak/redis";
import { type LeaseOutcome, releaseLease, takeLease } from "../lease/lease.ts";
import { createScript } from "../lua/create-script.ts";

/** The state of one subscriber's deliveries: names and values, which the deliverer defines. */
export type DeliveryFields = Readonly<Record<string, string>>;

/** A failed delivery that will be repeated. */
export interface StoredRetry {
  /** The event's id. An event has at most one retry. */
  id: string;
  /** When it is due, in ms since 1970. */
  dueMs: number;
  content: Buffer;
}

/** A request to deliver past events again. */
export interface StoredReplay {
  id: string;
  content: string;
}

/** The results of deliveries. What is left out stays unchanged. */
export interface DeliveryChanges {
  /** Fields to write. An empty value deletes the field. */
  fields?: DeliveryFields;
  /** Ids of the retries to delete. */
  finished?: readonly string[];
  retries?: readonly StoredRetry[];
  /** Replays to update. An empty content deletes the replay. */
  replays?: readonly StoredReplay[];
}

/**
 * The progress of deliveries to subscribers. One deliverer at a time has a subscriber's lease. Without it writes are refused, so that a deliverer whose lease has
 * expired cannot undo what its successor did.
 */
export interface DeliveryStore {
  /** Acquires or renews the lease of a subscriber, for `ttlMs` by the server's clock. */
  lease(subscriberId: string, token: string, ttlMs: number): Promise<LeaseOutcome>;
  /** Releases the lease. Does nothing if somebody else has it. */
  release(subscriberId: string, token: string): Promise<void>;
  /** Writes the fields that do not exist yet. */
  begin(subscriberId: string, fields: DeliveryFields): Promise<void>;
  /** The state of a subscriber's deliveries. */
  fields(subscriberId: string): Promise<DeliveryFields>;
  /** Deletes fields by decision of the subscriber's owner, without a lease. */
  clear(subscriberId: string, fields: readonly string[]): Promise<void>;
  /** Writes the results of deliveries atomically. Returns false, and writes nothing, if the lease was lost. */
  commit(subscriberId: string, token: string, changes: DeliveryChanges): Promise<boolean>;
  /** At most `limit` retries that are due at a time in ms since 1970, earliest first. */
  due(subscriberId: string, nowMs: number, limit: number): Promise<StoredRetry[]>;
  /** The number of retries, and when the first is due, in ms since 1970. */
  pending(subscriberId: string): Promise<{ count: number; nextMs: number | undefined }>;
  /** Makes all retries due now: the subscriber is available again. */
  bringForward(subscriberId: string, nowMs: number): Promise<void>;
  /** The unfinished replays of a subscriber. */
  replays(subscriberId: string): Promise<StoredReplay[]>;
  /** Adds a replay unless it exists. Returns false if there are `max` others already. */
  addReplay(subscriberId: string, replay: StoredReplay, max: number): Promise<boolean>;
  /** Deletes everything about a subscriber, including its lease. */
  remove(subscriberId: string): Promise<void>;
}

const claimScript = createScript("claim-field");
const commitScript = createScript("commit-deliveries");

/** Stores deliveries in Redis. All keys of one subscriber are in one slot. */
export function createDeliveryStore(redis: RedisConnection, keys: Keys): DeliveryStore {
  const store: DeliveryStore = {
    lease: (subscriberId, token, ttlMs) => takeLease(redis, keys.deliveryLease(subscriberId), token, ttlMs),
    release: (subscriberId, token) => releaseLease(redis, keys.deliveryLease(subscriberId), token),
    async begin(subscriberId, fields) {
      const key = keys.deliveryState(subscriberId);
      await Promise.all(Object.entries(fields).map(([field, value]) => redis.hsetnx(key, field, value)));
    },
    fields: (subscriberId) => redis.hgetall(keys.deliveryState(subscriberId)),
    async clear(subscriberId, fields) {
      await redis.hdel(keys.deliveryState(subscriberId), ...fields);
    },
    async commit(subscriberId, token, { fields = {}, finished = [], retries = [], replays = [] }) {
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
          finished.length,
          ...finished,
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
      // `XX`: a retry that was deleted meanwhile is not added again.
      if (ids.length > 0) await Promise.all(ids.map((id) => redis.zadd(key, "XX", String(nowMs), id)));
    },
    async replays(subscriberId) {
      const found = await redis.hgetall(keys.deliveryReplays(subscriberId));
      return Object.entries(found).map(([id, content]) => ({ id, content }));
    },
    async addReplay(subscriberId, { id, content }, max) {
      const [tag] = await claimScript(redis, [keys.deliveryReplays(subscriberId)], [id, content, max]);
      return tag === "claimed";
    },
    async remove(subscriberId) {
      // The lease first, so that the deliverer cannot write any more.
      await redis.del(keys.deliveryLease(subscriberId));
      const rest = [keys.deliveryState, keys.deliveryDue, keys.deliveryRetries, keys.deliveryReplays];
      await Promise.all(rest.map((keyOf) => redis.del(keyOf(subscriberId))));
    },
  };
  return store;
}
