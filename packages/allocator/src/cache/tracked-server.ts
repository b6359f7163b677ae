import { dropUnresponsive, isCommandTimeout, noSlots, ping, runIdOf, type SlotSet } from "@petak/redis";
import type { Redis } from "ioredis";

/** Options of {@link createTrackedServer}. */
export interface TrackedServerOptions {
  /** Creates a connection to the server, not connected yet. Two are kept. */
  connect: () => Redis;
  /** Asks the server, over one of them, for which slots it sees every change. */
  askSlots: (server: Redis) => Promise<SlotSet>;
  /** Called with keys that have changed. */
  onChanged: (keys: readonly Buffer[]) => void;
  /** Called when the server starts tracking slots that it did not track before. */
  onTrackingStarted: () => void;
  onError: (error: unknown) => void;
  /** Monotonic clock, in ms. */
  now: () => number;
}

/** A server that reports changes of the keys read from it. */
export interface TrackedServer {
  /** Whether it answered recently, as of the last {@link check}. */
  isReliable: boolean;
  /**
   * Keys read over this connection are tracked. Changes made over it are not reported, and end the tracking of the changed keys: the writer
   * must read them again in the same script and update the cache.
   */
  readonly reader: Redis;
  /** The current tracking of a slot; undefined if the server would not report all of its changes. */
  trackingOf(slot: number): SlotTracking | undefined;
  /** Stops relying on a slot that the server has just shown not to serve, or not alone. Its next answer may include the slot again. */
  releaseSlot(slot: number): void;
  /** Stops relying on all slots for which the predicate is false. */
  retain(isServed: (slot: number) => boolean): void;
  /** Updates {@link isReliable}. */
  check(nowMs: number): void;
  /** Closes both connections. */
  stop(): void;
}

/**
 * An uninterrupted period in which one server reports every change in one slot. A value read in it is valid while `isIntact` and the server
 * is reliable.
 */
export interface SlotTracking {
  /** False for good once changes may have been missed. */
  isIntact: boolean;
  readonly slot: number;
  readonly server: TrackedServer;
}

/** Interval at which the server is polled, in ms. */
const pollIntervalMs = 200;

/**
 * How long a server is reliable after it was sent a poll that it answered, in ms. Invalidations and answers arrive in order on one
 * connection, so this bounds the age of cached values: availability must not be shown a second after it changed.
 */
const reliableForMs = 800;

const invalidations = "__redis__:invalidate";

/**
 * Tracks changes by Redis client-side caching (`CLIENT TRACKING` with `REDIRECT`). One connection reads the tracked keys, and writes those
 * that are also updated in the cache; the other receives invalidations. If either is lost, everything read before is invalid.
 */
export function createTrackedServer({
  connect,
  askSlots,
  onChanged,
  onTrackingStarted,
  onError,
  now,
}: TrackedServerOptions): TrackedServer {
  const listener = connect();
  // With RESP3, invalidations arrive as a push type that the client discards; with RESP2, a subscribed connection cannot ask for its client
  // id.
  Object.assign(listener.options, { protocol: 2, autoResubscribe: false });
  const reader = connect();
  const trackings = new Map<number, SlotTracking>();
  let slots: SlotSet = noSlots;
  let reliableUntilMs = Number.NEGATIVE_INFINITY;
  /** Client id of the listener, and the run id of the process that it is connected to. */
  let listenerIdentity: { id: number; runId: string } | undefined;
  let isTracking = false;
  /** Counts restarts of tracking, so that late replies of an earlier start are ignored. */
  let generation = 0;
  let isStopped = false;

  function reset(): void {
    generation += 1;
    isTracking = false;
    server.isReliable = false;
    slots = noSlots;
    reliableUntilMs = Number.NEGATIVE_INFINITY;
    server.retain(() => false);
  }

  async function startTracking(): Promise<void> {
    reset();
    const startedIn = generation;
    if (listener.status !== "ready" || reader.status !== "ready") return;
    if (listenerIdentity === undefined) {
      // Asked before subscribing, since a subscribed connection cannot ask.
      const [id, runId] = await Promise.all([listener.client("ID"), runIdOf(listener)]);
      if (startedIn !== generation) return;
      listenerIdentity = { id, runId };
    }
    const { id, runId } = listenerIdentity;
    await listener.subscribe(invalidations);
    if ((await runIdOf(reader)) !== runId) {
      // The address moved to another server between the two connections. There the client id belongs to someone else, who would get the
      // invalidations.
      for (const connection of [listener, reader]) dropUnresponsive(connection);
      return;
    }
    await reader.client("TRACKING", "OFF");
    await reader.client("TRACKING", "ON", "REDIRECT", id, "NOLOOP");
    if (startedIn !== generation) return;
    isTracking = true;
    await poll();
  }

  async function poll(): Promise<void> {
    if (!isTracking) return;
    const startedIn = generation;
    const askedMs = now();
    try {
      const [served] = await Promise.all([askSlots(reader), ping(listener)]);
      if (startedIn === generation) applyAnswer(served, askedMs);
    } catch (error) {
      // Reads would queue behind an unresponsive server; new connections fail at once until it is back.
      if (startedIn === generation && isCommandTimeout(error)) for (const connection of [listener, reader]) dropUnresponsive(connection);
      throw error;
    }
  }

  function applyAnswer(served: SlotSet, askedMs: number): void {
    const hasChanged = served.text !== slots.text;
    slots = served;
    if (hasChanged) server.retain((slot) => served.has(slot));
    reliableUntilMs = askedMs + reliableForMs;
    server.check(now());
    if (hasChanged && server.isReliable) onTrackingStarted();
  }

  const report = (error: unknown) => {
    if (!isStopped) onError(error);
  };

  const server: TrackedServer = {
    isReliable: false,
    reader,
    trackingOf(slot) {
      let tracking = trackings.get(slot);
      if (tracking === undefined && slots.has(slot)) {
        tracking = { isIntact: true, slot, server };
        trackings.set(slot, tracking);
      }
      return tracking;
    },
    releaseSlot(left) {
      const before = slots;
      slots = { has: (slot) => slot !== left && before.has(slot), text: `${before.text} without ${left}` };
      server.retain((slot) => slot !== left);
    },
    retain(isServed) {
      for (const [slot, tracking] of trackings) {
        if (isServed(slot)) continue;
        tracking.isIntact = false;
        trackings.delete(slot);
      }
    },
    check(nowMs) {
      server.isReliable = nowMs <= reliableUntilMs;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      reset();
      listener.disconnect();
      reader.disconnect();
    },
  };

  for (const connection of [listener, reader]) {
    connection.on("ready", () => {
      startTracking().catch(report);
    });
    connection.on("close", () => {
      if (connection === listener) listenerIdentity = undefined;
      reset();
    });
    connection.connect().catch(report);
  }
  listener.on("messageBuffer", (_channel: Buffer, changed: readonly Buffer[] | null) => {
    if (changed !== null) {
      onChanged(changed);
      return;
    }
    // An invalidation without keys means that all keys are gone.
    server.retain(() => false);
    if (server.isReliable) onTrackingStarted();
  });
  const timer = setInterval(() => {
    poll().catch(report);
  }, pollIntervalMs);
  timer.unref();
  return server;
}
