import { isCluster, type RedisConnection } from "@petak/redis";
import type { TrackedCache } from "../cache/tracked-cache.ts";

/** A decoded string; null if the key does not exist. Decoded once and cached as long as the string. */
export type Decoded<Value> = Value | null;

/** Reads keys, through a cache if there is one and it is reliable. */
export interface KeyReader {
  /**
   * Several strings, decoded, in the same order. Synchronous if all are cached.
   *
   * @param slotOf Groups keys that share a cluster slot, by index. @param decode Must always be the same for a key.
   */
  strings<Value>(
    keys: readonly string[],
    slotOf: (index: number) => string,
    decode: (bytes: Buffer) => Value,
  ): readonly Decoded<Value>[] | Promise<readonly Decoded<Value>[]>;
  /** The members of a set. */
  set(key: string): Promise<readonly string[]>;
  /**
   * Values of keys of one slot, in the same order.
   *
   * @param read Reads the keys that are not cached. Must never return undefined.
   */
  values<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<readonly Value[]>;
  /** The cached value of a key; undefined if it has to be read. */
  known(key: string): unknown;
}

/** Creates a reader of keys. */
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

  /** The cached values of several keys; undefined unless all are cached. */
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
