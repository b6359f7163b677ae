import type { Redis } from "ioredis";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { onKeysTouched } from "../scripts/touched-keys.ts";

/** What the cache needs. */
export interface TrackedCacheOptions {
  /** The connection over which this process writes. What its scripts change is forgotten before their callers hear of it. */
  writer: RedisConnection;
  /** Makes a connection to the same server, not connected yet. Two are kept. */
  connect: () => Redis;
  /** Called where the server cannot say what changes; all is read anew each time meanwhile. */
  onError: (error: Error) => void;
  /** The clock, in ms. Default `performance.now`. */
  now?: () => number;
}

/** What keys of a server hold, in memory, as old as the last answer of the server at most. */
export interface TrackedCache {
  /** Whether it is relied on now. */
  readonly isReliable: boolean;
  /** What a key holds, as it was read; undefined where it has to be read. Only to be asked while the cache is relied on. */
  peek(key: string): unknown;
  /**
   * What keys hold, in the same order. Those that are not known are read.
   *
   * @param read Reads keys through a connection. It must give null for a key that does not exist, never undefined.
   */
  fetch<Value>(
    keys: readonly string[],
    read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
  ): Promise<Value[]>;
  /** Calls a listener each time that the cache begins to be relied on, empty. */
  whenBegun(listener: () => void): void;
  /** Closes the two connections. */
  stop(): void;
}

interface Entry {
  /** Undefined where it has to be read. */
  value: unknown;
  /** Grows with every change that was heard of. */
  version: number;
}

/** How often the server is asked whether it still tells of changes, in ms. */
const pingIntervalMs = 200;

/**
 * How long after a question that was answered the cache is relied on, in ms. Changes and answers come in order over one connection, so
 * that nothing in the cache is older: availability that is older than its change by a second must not be shown.
 */
const reliedOnMs = 800;

/** Keys kept before the cache starts anew: about 50 MB of blocks where each has ten sites. */
const cacheMax = 100_000;

const invalidations = "__redis__:invalidate";

/**
 * Keeps what was read, and forgets each key when the server says that it changed (Redis' client-side caching, `CLIENT TRACKING` with
 * `REDIRECT`). One connection reads what is kept and nothing else, so that nothing else is tracked; another hears of the changes.
 *
 * Where either connection is lost, or no answer comes in time, nothing in the cache is relied on.
 */
export function createTrackedCache({ writer, connect, onError, now = () => performance.now() }: TrackedCacheOptions): TrackedCache {
  const entries = new Map<string, Entry>();
  const listener = connect();
  // In the newer version of the protocol the server's word comes in a form that the client drops; and who is subscribed in the older one
  // may not ask for its id.
  Object.assign(listener.options, { protocol: 2, autoResubscribe: false });
  const reader = connect();
  let listenerId: number | undefined;
  let isTracking = false;
  let reliableUntilMs = 0;
  /** Counts the times that tracking began: what was asked for before the last of them is not kept. */
  let generation = 0;
  let isStopped = false;
  const beginners: (() => void)[] = [];

  const isReliable = (): boolean => isTracking && now() <= reliableUntilMs;

  function forgetAll(): void {
    generation += 1;
    isTracking = false;
    entries.clear();
  }

  function forget(key: string): void {
    const entry = entries.get(key);
    if (entry !== undefined) forgetEntry(entry);
  }

  function forgetEntry(entry: Entry): void {
    entry.value = undefined;
    entry.version += 1;
  }

  async function track(): Promise<void> {
    forgetAll();
    const begun = generation;
    if (listener.status !== "ready" || reader.status !== "ready") return;
    listenerId ??= await listener.client("ID");
    await listener.subscribe(invalidations);
    await reader.client("TRACKING", "OFF");
    await reader.client("TRACKING", "ON", "REDIRECT", listenerId);
    if (begun !== generation) return;
    isTracking = true;
    await ask();
    if (isReliable()) for (const begin of beginners) begin();
  }

  async function ask(): Promise<void> {
    if (!isTracking) return;
    const begun = generation;
    const askedMs = now();
    await listener.ping();
    if (begun === generation) reliableUntilMs = askedMs + reliedOnMs;
  }

  function report(error: unknown): void {
    if (!isStopped) onError(error instanceof Error ? error : new Error(String(error)));
  }

  for (const connection of [listener, reader]) {
    connection.on("ready", () => {
      track().catch(report);
    });
    connection.on("close", () => {
      if (connection === listener) listenerId = undefined;
      forgetAll();
    });
    connection.connect().catch(report);
  }
  listener.on("messageBuffer", (_channel: Buffer, changed: readonly Buffer[] | null) => {
    // Without names the server says that all is gone.
    if (changed === null) for (const entry of entries.values()) forgetEntry(entry);
    else for (const key of changed) forget(key.toString());
  });
  const stopListening = onKeysTouched(writer, (touched) => {
    for (const key of touched) forget(key);
  });
  const timer = setInterval(() => {
    ask().catch(report);
  }, pingIntervalMs);
  timer.unref();

  function entryOf(key: string): Entry {
    let entry = entries.get(key);
    if (entry === undefined) {
      if (entries.size >= cacheMax) entries.clear();
      entry = { value: undefined, version: 0 };
      entries.set(key, entry);
    }
    return entry;
  }

  return {
    get isReliable() {
      return isReliable();
    },
    whenBegun: (listener) => void beginners.push(listener),
    peek: (key) => entries.get(key)?.value,
    async fetch<Value>(
      keys: readonly string[],
      read: (connection: RedisConnection, missing: readonly string[]) => Promise<readonly Value[]>,
    ): Promise<Value[]> {
      const mayKeep = isReliable();
      const asked = generation;
      const missing: { index: number; key: string; entry: Entry; version: number }[] = [];
      const values = keys.map((key, index) => {
        const entry = entryOf(key);
        if (!mayKeep || entry.value === undefined) missing.push({ index, key, entry, version: entry.version });
        return entry.value as Value;
      });
      if (missing.length === 0) return values;
      const found = await read(
        isTracking ? reader : writer,
        missing.map(({ key }) => key),
      );
      missing.forEach(({ index, entry, version }, place) => {
        const value = found[place] as Value;
        values[index] = value;
        // What changed while it was on its way may be what it was before or after.
        if (isTracking && asked === generation && version === entry.version) entry.value = value;
      });
      return values;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      stopListening();
      listener.disconnect();
      reader.disconnect();
    },
  };
}
