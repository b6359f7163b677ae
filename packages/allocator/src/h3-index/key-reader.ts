import { isCluster, type RedisConnection } from "@petak/redis";
import type { TrackedCache } from "../cache/tracked-cache.ts";

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
  /** The members of a set. */
  set(key: string): Promise<readonly string[]>;
  /**
   * Whatever is read of keys of one slot, in their order.
   *
   * @param read Reads those that are not in the cache through a connection. It must never give undefined.
   */
  values<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<readonly Value[]>;
  /** What is in the cache of a key; undefined where it has to be read. */
  known(key: string): unknown;
}

/** Makes a reader of keys. */
export function createKeyReader(redis: RedisConnection, cache: TrackedCache | undefined): KeyReader {
  function known(key: string): unknown {
    cache?.check();
    return cache?.peek(key);
  }

  async function values<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<readonly Value[]> {
    return await (cache === undefined ? read(redis, keys) : cache.fetch(keys, read));
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
    async set(key) {
      const [members = []] = await values<readonly string[]>([key], async (connection) => [await connection.smembers(key)]);
      return members;
    },
    values,
    known,
  };
}
