import { duplicateConnection, onKeysTouched, type RedisConnection } from "@petak/redis";
import type { Redis } from "ioredis";
import type { SlotTracking } from "./tracked-server.ts";
import { createTrackedServers } from "./tracked-servers.ts";

/** Options of {@link createTrackedCache}. */
export interface TrackedCacheOptions {
  /** The connection over which this process writes. Keys touched by its scripts are forgotten before the scripts' callers continue. */
  writer: RedisConnection;
  /** Called when a server cannot be tracked. Its keys are read each time meanwhile. */
  onError: (error: Error) => void;
  /**
   * Creates a connection, not connected yet, to a server of the writer's. Two are kept for each server. Default: a duplicate of the
   * writer's.
   */
  connect?: (server: Redis) => Redis;
  /** Monotonic clock, in ms. Default `performance.now`. */
  now?: () => number;
  /** Greatest number of keys kept. Default 400,000. */
  keysMax?: number;
}

/** An in-memory cache of Redis keys. A cached value is never older than the last answer of its server's health poll. */
export interface TrackedCache {
  /** Whether every server is currently reliable. Calls {@link check}. */
  readonly isReliable: boolean;
  /** Updates which servers are reliable. Results of {@link peek} in the same turn are valid. */
  check(): void;
  /** The cached value of a key; undefined if it has to be read. */
  peek(key: string): unknown;
  /**
   * The values of keys, in the same order. Missing ones are read; concurrent reads of one key are shared.
   *
   * @param read Reads keys of one slot over a connection (all keys, for a single server). Must return null for a key that does not exist,
   * never undefined.
   */
  fetch<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<Value[]>;
  /** Forgets keys, so that they are read again. */
  forget(keys: readonly string[]): void;
  /**
   * The tracking of a key's slot; undefined if its server does not track it. A different object than before means that tracking was
   * interrupted, and that the server may have lost data that was read before.
   */
  trackingOf(key: string): SlotTracking | undefined;
  /** A writer for the keys in the slot of a key, which updates the cache in place; undefined if the server does not track the slot. */
  slotWriterFor(key: string): SlotWriter | undefined;
  /** Calls a listener each time that tracking of slots starts. The cache knows nothing of them at that time. */
  onTrackingStarted(listener: () => void): void;
  /** Closes the connections that the cache opened. */
  stop(): void;
}

/**
 * Writes keys of one slot over the connection that reads for the cache. The server does not send this process invalidations for these
 * writes (NOLOOP), so the writer must update the cache. Replies arrive in the order of commands: when a write's reply arrives, every cached
 * value predates the write, while pending reads may have either value.
 */
export interface SlotWriter {
  /**
   * A script sent over this connection must read the keys that it wrote again at its end; otherwise the server does not report later
   * changes by others.
   */
  readonly connection: Redis;
  /** Updates the cached value of a key in place. If there is none to update, or `change` returns false, the key is forgotten. */
  amend(key: string, change: (value: unknown) => boolean): void;
  /** Forgets keys whose new values are unknown. */
  forget(keys: readonly string[]): void;
  /** Stops relying on the slot, after the server has shown that it does not serve it. */
  releaseSlot(): void;
}

interface Entry {
  readonly key: string;
  /** Undefined if it has to be read. */
  value: unknown;
  tracking: SlotTracking;
  /** Whether it was requested since the clock hand last passed. */
  isReferenced: boolean;
}

/** Keys of one slot that are read together. */
interface Batch {
  /** The tracking under which values are cached; undefined if they cannot be. */
  readonly tracking: SlotTracking | undefined;
  readonly keys: string[];
  /** Index of each key among the requested keys. */
  readonly indexes: number[];
  found: Promise<readonly unknown[]>;
}

/** Position of a key in a read that is in progress. */
interface PendingRead {
  readonly batch: Batch;
  readonly place: number;
}

type ReadKeys<Value> = (connection: RedisConnection, keys: readonly string[]) => Promise<readonly Value[]>;

/** Enough for the blocks of a region with a million sites (some 300,000) and the empty cells around them. */
const keysMaxDefault = 400_000;

const noReadYet: Promise<readonly unknown[]> = Promise.resolve([]);

/**
 * Creates a cache that forgets each key when its server reports a change (Redis client-side caching). Values are ignored while their server
 * is unreachable or does not answer in time, and once it no longer serves the key's slot.
 *
 * When full, it evicts by the CLOCK algorithm: the next key that was not requested since the hand last passed.
 */
export function createTrackedCache({
  writer,
  onError,
  connect = (server) => duplicateConnection(server, { onError }),
  now = () => performance.now(),
  keysMax = keysMaxDefault,
}: TrackedCacheOptions): TrackedCache {
  const entries = new Map<string, Entry>();
  /** Reads in progress whose keys were not reported as changed since they began. */
  const pendingReads = new Map<string, PendingRead>();
  const startListeners: (() => void)[] = [];
  let clockHand = entries.values();

  const servers = createTrackedServers({
    connection: writer,
    connect,
    now,
    onChanged(keys) {
      for (const key of keys) forget(key.toString());
    },
    onTrackingStarted() {
      for (const begin of startListeners) begin();
    },
    onError: (error) => onError(error instanceof Error ? error : new Error(String(error))),
  });
  const stopListening = onKeysTouched(writer, (keys) => {
    for (const key of keys) forget(key);
  });

  function forget(key: string): void {
    const entry = entries.get(key);
    if (entry !== undefined) entry.value = undefined;
    // A read in progress may return the value from before or after the change.
    pendingReads.delete(key);
  }

  function keep(key: string, value: unknown, tracking: SlotTracking): void {
    const entry = entries.get(key);
    if (entry !== undefined) {
      entry.value = value;
      entry.tracking = tracking;
      return;
    }
    if (entries.size >= keysMax) evictOne();
    entries.set(key, { key, value, tracking, isReferenced: false });
  }

  function evictOne(): void {
    for (;;) {
      const { value: entry } = clockHand.next();
      if (entry === undefined) {
        clockHand = entries.values();
      } else if (entry.isReferenced && entry.value !== undefined) {
        entry.isReferenced = false;
      } else {
        entries.delete(entry.key);
        return;
      }
    }
  }

  function peek(key: string): unknown {
    const entry = entries.get(key);
    if (entry === undefined || !entry.tracking.isIntact || !entry.tracking.server.isReliable) return undefined;
    entry.isReferenced = true;
    return entry.value;
  }

  /** A pending read of a key that a new request may share. */
  function sharedRead(key: string): PendingRead | undefined {
    const read = pendingReads.get(key);
    const tracking = read?.batch.tracking;
    return tracking?.isIntact === true && tracking.server.isReliable ? read : undefined;
  }

  function addTo(batches: Map<number, Batch>, key: string, index: number): void {
    const slot = servers.slotOf(key);
    let batch = batches.get(slot);
    if (batch === undefined) {
      batch = { tracking: servers.trackingOf(slot), keys: [], indexes: [], found: noReadYet };
      batches.set(slot, batch);
    }
    batch.keys.push(key);
    batch.indexes.push(index);
    if (batch.tracking !== undefined) pendingReads.set(key, { batch, place: batch.keys.length - 1 });
  }

  async function load<Value>(batch: Batch, read: ReadKeys<Value>): Promise<readonly Value[]> {
    const { tracking, keys } = batch;
    if (tracking === undefined) return await read(writer, keys);
    let found: readonly Value[] | undefined;
    try {
      found = await read(tracking.server.reader, keys);
    } catch (error) {
      if (!isSlotMovedError(error)) throw error;
      tracking.server.releaseSlot(tracking.slot);
    } finally {
      settle(batch, tracking, found);
    }
    // The writer's connection follows redirects.
    return found ?? (await read(writer, keys));
  }

  /** Ends a read. Caches the values of keys that were not reported as changed meanwhile. */
  function settle(batch: Batch, tracking: SlotTracking, found: readonly unknown[] | undefined): void {
    for (let place = 0; place < batch.keys.length; place++) {
      const key = batch.keys[place] as string;
      if (pendingReads.get(key)?.batch !== batch) continue;
      pendingReads.delete(key);
      if (found !== undefined && tracking.isIntact) keep(key, found[place], tracking);
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
      const shared: (PendingRead & { index: number })[] = [];
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
    trackingOf: (key) => servers.trackingOf(servers.slotOf(key)),
    slotWriterFor(key) {
      servers.check();
      const tracking = servers.trackingOf(servers.slotOf(key));
      if (tracking === undefined || !tracking.server.isReliable) return undefined;
      return {
        connection: tracking.server.reader,
        amend(changed, change) {
          const entry = entries.get(changed);
          // A reply that arrived earlier may not have been processed yet; then the key is forgotten. The same if its value was cached under
          // another tracking.
          const isCurrent = entry?.value !== undefined && entry.tracking === tracking && tracking.isIntact && !pendingReads.has(changed);
          if (!isCurrent || !change(entry.value)) forget(changed);
        },
        forget(changed) {
          for (const one of changed) forget(one);
        },
        releaseSlot: () => tracking.server.releaseSlot(tracking.slot),
      };
    },
    onTrackingStarted: (listener) => void startListeners.push(listener),
    stop() {
      stopListening();
      servers.stop();
    },
  };
}

/** Whether a server rejected a command because the slot is, or is about to be, at another server. The command did nothing. */
export function isSlotMovedError(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|TRYAGAIN) ?/.test(error.message);
}
