import { connectLike, onKeysTouched, type RedisConnection } from "@petak/redis";
import type { Redis } from "ioredis";
import type { Footing } from "./tracked-server.ts";
import { createTrackedServers } from "./tracked-servers.ts";

/** What the cache needs. */
export interface TrackedCacheOptions {
  /** The connection over which this process writes. What its scripts change is forgotten before their callers hear of it. */
  writer: RedisConnection;
  /** Called where a server cannot say what changes; all is read anew each time meanwhile. */
  onError: (error: Error) => void;
  /** Makes a connection to a server to which the writer has one, not connected yet. Two are kept for each. Default: one like the writer's. */
  connect?: (server: Redis) => Redis;
  /** The clock, in ms. Default `performance.now`. */
  now?: () => number;
  /** How many keys are kept at most. Default 400,000. */
  keysMax?: number;
}

/** What keys hold, in memory, as old as the last answer of their servers at most. */
export interface TrackedCache {
  /** Whether every server is relied on now. */
  readonly isReliable: boolean;
  /** Takes note of which servers are relied on now. What {@link peek} gives in the same turn is right by that. */
  check(): void;
  /** What a key holds, as it was read; undefined where it has to be read. */
  peek(key: string): unknown;
  /**
   * What keys hold, in the same order. Those that are not known are read, together with whoever else wants them at the same time.
   *
   * @param read Reads keys of one slot through a connection: of a single server all keys are. It must give null for a key that does not exist,
   *   never undefined.
   */
  fetch<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<Value[]>;
  /** Forgets keys, so that they are read anew. */
  forget(keys: readonly string[]): void;
  /**
   * What is read of a key now rests on; undefined where its server is not relied on for it. Another one than before means that the server may have
   * lost what it said before.
   */
  footingOf(key: string): Footing | undefined;
  /** How to change keys that lie together with one, and to know better than to read them again. Undefined where their server is not relied on. */
  lineTo(key: string): Line | undefined;
  /** Calls a listener each time that something begins to be relied on, of which nothing is known. */
  whenBegun(listener: () => void): void;
  /** Closes the connections that it made. */
  stop(): void;
}

/**
 * A way to change keys of one slot of which the server tells everybody but this process. Reads over the same connection come before or after a
 * change as they were sent, so that when a change is answered, what is in memory is from before it; what is still being read is from either.
 */
export interface Line {
  /** What is sent over it must read what it has changed once more at its end, else later changes by others go unheard. */
  readonly connection: Redis;
  /** Makes what is in memory of a key what it has become. Where the change says that it cannot, with false, the key is forgotten. */
  amend(key: string, change: (value: unknown) => boolean): void;
  /** Forgets keys of which nobody knows what has become of them. */
  forget(keys: readonly string[]): void;
  /** Says that the server has just shown that it does not have the slot. */
  leave(): void;
}

interface Entry {
  readonly key: string;
  /** Undefined where it has to be read. */
  value: unknown;
  footing: Footing;
  /** Whether anybody asked for it since the hand came by last. */
  isWanted: boolean;
}

/** Keys of one slot that are read together. */
interface Batch {
  /** What their values will rest on; undefined where they cannot be kept. */
  readonly footing: Footing | undefined;
  readonly keys: string[];
  /** Where each of them stands among the keys that were asked for. */
  readonly indexes: number[];
  found: Promise<readonly unknown[]>;
}

/** Where a key is among those that are being read. */
interface UnderWay {
  readonly batch: Batch;
  readonly place: number;
}

type ReadKeys<Value> = (connection: RedisConnection, keys: readonly string[]) => Promise<readonly Value[]>;

/** Room for the blocks of a region of a million sites, some 300,000, and for the empty cells around them. */
const keysMaxDefault = 400_000;

const nothingYet: Promise<readonly unknown[]> = Promise.resolve([]);

/**
 * Keeps what was read, and forgets each key when its server says that it changed. What rests on a server that was lost, that does not answer in
 * time, or that does not have the key's slot any more, does not count.
 *
 * Where it is full, the hand of a clock goes round over the keys and takes out the next that nobody asked for since it came by last.
 */
export function createTrackedCache({
  writer,
  onError,
  connect = (server) => connectLike(server, { onError }),
  now = () => performance.now(),
  keysMax = keysMaxDefault,
}: TrackedCacheOptions): TrackedCache {
  const entries = new Map<string, Entry>();
  /** Only those that were not heard to have changed since. */
  const underWay = new Map<string, UnderWay>();
  const beginners: (() => void)[] = [];
  let hand = entries.values();

  const servers = createTrackedServers({
    connection: writer,
    connect,
    now,
    onChanged(keys) {
      for (const key of keys) forget(key.toString());
    },
    onBegun() {
      for (const begin of beginners) begin();
    },
    onError: (error) => onError(error instanceof Error ? error : new Error(String(error))),
  });
  const stopListening = onKeysTouched(writer, (keys) => {
    for (const key of keys) forget(key);
  });

  function forget(key: string): void {
    const entry = entries.get(key);
    if (entry !== undefined) entry.value = undefined;
    // What is on its way may be what it was before or after.
    underWay.delete(key);
  }

  function keep(key: string, value: unknown, footing: Footing): void {
    const entry = entries.get(key);
    if (entry !== undefined) {
      entry.value = value;
      entry.footing = footing;
      return;
    }
    if (entries.size >= keysMax) takeOneOut();
    entries.set(key, { key, value, footing, isWanted: false });
  }

  function takeOneOut(): void {
    for (;;) {
      const { value: entry } = hand.next();
      if (entry === undefined) {
        hand = entries.values();
      } else if (entry.isWanted && entry.value !== undefined) {
        entry.isWanted = false;
      } else {
        entries.delete(entry.key);
        return;
      }
    }
  }

  function peek(key: string): unknown {
    const entry = entries.get(key);
    if (entry === undefined || !entry.footing.holds || !entry.footing.server.isReliable) return undefined;
    entry.isWanted = true;
    return entry.value;
  }

  /** The read of a key that is under way, where whoever asks only now may share it. */
  function sharedRead(key: string): UnderWay | undefined {
    const read = underWay.get(key);
    const footing = read?.batch.footing;
    return footing?.holds === true && footing.server.isReliable ? read : undefined;
  }

  function addTo(batches: Map<number, Batch>, key: string, index: number): void {
    const slot = servers.slotOf(key);
    let batch = batches.get(slot);
    if (batch === undefined) {
      batch = { footing: servers.footingOf(slot), keys: [], indexes: [], found: nothingYet };
      batches.set(slot, batch);
    }
    batch.keys.push(key);
    batch.indexes.push(index);
    if (batch.footing !== undefined) underWay.set(key, { batch, place: batch.keys.length - 1 });
  }

  async function load<Value>(batch: Batch, read: ReadKeys<Value>): Promise<readonly Value[]> {
    const { footing, keys } = batch;
    if (footing === undefined) return await read(writer, keys);
    let found: readonly Value[] | undefined;
    try {
      found = await read(footing.server.reader, keys);
    } catch (error) {
      if (!isElsewhere(error)) throw error;
      footing.server.leave(footing.slot);
    } finally {
      settle(batch, footing, found);
    }
    // The writer follows where it is sent.
    return found ?? (await read(writer, keys));
  }

  /** Ends a read. What was found is kept where nothing was heard of a change meanwhile. */
  function settle(batch: Batch, footing: Footing, found: readonly unknown[] | undefined): void {
    for (let place = 0; place < batch.keys.length; place++) {
      const key = batch.keys[place] as string;
      if (underWay.get(key)?.batch !== batch) continue;
      underWay.delete(key);
      if (found !== undefined && footing.holds) keep(key, found[place], footing);
    }
  }

  return {
    get isReliable() {
      servers.check();
      return servers.areReliable;
    },
    check: servers.check,
    peek,
    async fetch<Value>(keys: readonly string[], read: ReadKeys<Value>): Promise<Value[]> {
      servers.check();
      const values: Value[] = [];
      const batches = new Map<number, Batch>();
      const shared: (UnderWay & { index: number })[] = [];
      for (let index = 0; index < keys.length; index++) {
        const key = keys[index] as string;
        values.push(peek(key) as Value);
        if (values[index] !== undefined) continue;
        const read = sharedRead(key);
        if (read === undefined) addTo(batches, key, index);
        else shared.push({ ...read, index });
      }
      for (const batch of batches.values()) batch.found = load(batch, read);
      const readings = [...batches.values()].map(async ({ found, indexes }) => {
        const read = await found;
        indexes.forEach((index, place) => {
          values[index] = read[place] as Value;
        });
      });
      const sharings = shared.map(async ({ batch, place, index }) => {
        values[index] = (await batch.found)[place] as Value;
      });
      await Promise.all([...readings, ...sharings]);
      return values;
    },
    forget(keys) {
      for (const key of keys) forget(key);
    },
    footingOf: (key) => servers.footingOf(servers.slotOf(key)),
    lineTo(key) {
      servers.check();
      const footing = servers.footingOf(servers.slotOf(key));
      if (footing === undefined || !footing.server.isReliable) return undefined;
      return {
        connection: footing.server.reader,
        amend(changed, change) {
          const entry = entries.get(changed);
          // A read that was answered before may not have come to its end yet: it is let go, and so is what rests on another's word.
          const isBefore = entry?.value !== undefined && entry.footing === footing && footing.holds && !underWay.has(changed);
          if (!isBefore || !change(entry.value)) forget(changed);
        },
        forget(changed) {
          for (const one of changed) forget(one);
        },
        leave: () => footing.server.leave(footing.slot),
      };
    },
    whenBegun: (listener) => void beginners.push(listener),
    stop() {
      stopListening();
      servers.stop();
    },
  };
}

/** Whether a server says that a key is, or is about to be, at another: then it has done nothing. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|TRYAGAIN) ?/.test(error.message);
}
