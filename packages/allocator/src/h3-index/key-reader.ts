import { isCluster, type RedisConnection } from "@petak/redis";
import type { TrackedCache } from "../cache/tracked-cache.ts";

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
  function known(key: string): unknown {
    cache?.check();
    return cache?.peek(key);
  }

  async function one<Value>(key: string, read: (connection: RedisConnection) => Promise<Value>): Promise<Value> {
    if (cache === undefined) return await read(redis);
    const [value] = await cache.fetch([key], async (connection) => [await read(connection)]);
    return value as Value;
  }

  /** What is in the cache of several keys, where all of it is. */
  function allKnown(keys: readonly string[]): unknown[] | undefined {
    if (cache === undefined) return undefined;
    cache.check();
    const values: unknown[] = [];
    for (let index = 0; index < keys.length; index++) {
      const value = cache.peek(keys[index] as string);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  async function readStrings<Value>(
    connection: RedisConnection,
    keys: readonly string[],
    decode: (bytes: Buffer) => Value,
  ): Promise<Decoded<Value>[]> {
    const strings = await connection.mgetBuffer(keys as string[]);
    return strings.map((bytes) => (bytes === null ? null : decode(bytes)));
  }

  async function readBySlot<Value>(
    keys: readonly string[],
    slotOf: (index: number) => string,
    decode: (bytes: Buffer) => Value,
  ): Promise<readonly Decoded<Value>[]> {
    const values: Decoded<Value>[] = Array.from(keys, () => null);
    const slots = Map.groupBy(keys.keys(), slotOf);
    await Promise.all(
      [...slots.values()].map(async (indexes) => {
        const together = indexes.map((index) => keys[index] as string);
        const found = await readStrings(redis, together, decode);
        for (const [place, index] of indexes.entries()) values[index] = found[place] as Decoded<Value>;
      }),
    );
    return values;
  }

  return {
    strings<Value>(keys: readonly string[], slotOf: (index: number) => string, decode: (bytes: Buffer) => Value) {
      if (keys.length === 0) return [];
      const values = allKnown(keys) as Decoded<Value>[] | undefined;
      if (values !== undefined) return values;
      if (cache !== undefined) return cache.fetch(keys, (connection, missing) => readStrings(connection, missing, decode));
      return isCluster(redis) ? readBySlot(keys, slotOf, decode) : readStrings(redis, keys, decode);
    },
    string: (key) => one<KeyString>(key, (connection) => connection.getBuffer(key)),
    set: (key) => one<readonly string[]>(key, (connection) => connection.smembers(key)),
    list: (key) => one<readonly Buffer[]>(key, (connection) => connection.lrangeBuffer(key, 0, -1)),
    knownString: (key) => known(key) as KeyString | undefined,
    knownList: (key) => known(key) as readonly Buffer[] | undefined,
  };
}
