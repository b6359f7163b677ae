import type { RedisConnection } from "../connection/connect-redis.ts";
import type { TrackedCache } from "./tracked-cache.ts";

/** A string of Redis, null where the key does not exist. */
export type KeyString = Buffer | null;

/** What a string was made into, null where the key does not exist. Made once, and kept as long as the string is. */
export type Decoded<Value> = Value | null;

/** Reads keys, through a cache where there is one and it is relied on. */
export interface KeyReader {
  /**
   * Several strings and what is made of them, in the same order: at once where all are in the cache.
   *
   * @param slotOf Tells what of them lies together on a cluster.
   * @param decode The same for a key whenever it is asked for.
   */
  strings<Value>(
    keys: readonly string[],
    slotOf: (index: number) => string,
    decode: (bytes: Buffer) => Value,
  ): readonly Decoded<Value>[] | Promise<readonly Decoded<Value>[]>;
  string(key: string): Promise<KeyString>;
  /** The members of a set. */
  set(key: string): Promise<readonly string[]>;
  /** All of a list. The same array while it does not change. */
  list(key: string): Promise<readonly Buffer[]>;
  /** A string that is in the cache; undefined where it has to be read. */
  knownString(key: string): KeyString | undefined;
  /** A list that is in the cache; undefined where it has to be read. */
  knownList(key: string): readonly Buffer[] | undefined;
}

/** Makes a reader of keys. */
export function createKeyReader(redis: RedisConnection, cache: TrackedCache | undefined): KeyReader {
  const known = (key: string): unknown => (cache?.isReliable === true ? cache.peek(key) : undefined);

  async function one<Value>(key: string, read: (connection: RedisConnection) => Promise<Value>): Promise<Value> {
    if (cache === undefined) return await read(redis);
    const [value] = await cache.fetch([key], async (connection) => [await read(connection)]);
    return value as Value;
  }

  async function bySlot(
    connection: RedisConnection,
    keys: readonly string[],
    slotOf: (key: string) => string,
  ): Promise<readonly KeyString[]> {
    const found = new Map<string, KeyString>();
    await Promise.all(
      [...Map.groupBy(keys, slotOf).values()].map(async (together) => {
        const values = await connection.mgetBuffer(together);
        for (const [place, key] of together.entries()) found.set(key, values[place] ?? null);
      }),
    );
    return keys.map((key) => found.get(key) ?? null);
  }

  return {
    strings<Value>(keys: readonly string[], slotOf: (index: number) => string, decode: (bytes: Buffer) => Value) {
      if (cache?.isReliable === true) {
        const values: Decoded<Value>[] = [];
        for (const key of keys) {
          const value = cache.peek(key) as Decoded<Value> | undefined;
          if (value === undefined) break;
          values.push(value);
        }
        if (values.length === keys.length) return values;
      }
      const slots = new Map(keys.map((key, index) => [key, slotOf(index)]));
      const read = async (connection: RedisConnection, missing: readonly string[]) => {
        const strings = await bySlot(connection, missing, (key) => slots.get(key) ?? "");
        return strings.map((bytes) => (bytes === null ? null : decode(bytes)));
      };
      return cache === undefined ? read(redis, keys) : cache.fetch(keys, read);
    },
    string: (key) => one<KeyString>(key, (connection) => connection.getBuffer(key)),
    set: (key) => one<readonly string[]>(key, (connection) => connection.smembers(key)),
    list: (key) => one<readonly Buffer[]>(key, (connection) => connection.lrangeBuffer(key, 0, -1)),
    knownString: (key) => known(key) as KeyString | undefined,
    knownList: (key) => known(key) as readonly Buffer[] | undefined,
  };
}
