import { dropSilent, isCommandTimeout, noSlots, ping, runIdOf, type SlotSet } from "@petak/redis";
import type { Redis } from "ioredis";

/** What a tracked server needs. */
export interface TrackedServerOptions {
  /** Makes a connection to the server, not connected yet. Two are kept. */
  connect: () => Redis;
  /** Asks the server, over one of them, of which slots it knows every change. */
  askSlots: (server: Redis) => Promise<SlotSet>;
  /** Hears which keys have changed. */
  onChanged: (keys: readonly Buffer[]) => void;
  /** Hears that the server is relied on for slots for which it was not. */
  onBegun: () => void;
  onError: (error: unknown) => void;
  /** The clock, in ms. */
  now: () => number;
}

/** A server that tells of what changes among the keys that were read from it. */
export interface TrackedServer {
  /** Whether it answered lately, as {@link check} last found. */
  isReliable: boolean;
  /**
   * Over this connection it is asked for what it shall tell the changes of. What is changed over it the server does not tell, and forgets whom to
   * tell of the next change: whoever does must read it again in the same step, and amend what is in memory.
   */
  readonly reader: Redis;
  /** What is read of a slot now may rest on; undefined where the server would not tell of all its changes. */
  footingOf(slot: number): Footing | undefined;
  /** Lets go of a slot for which the server has just shown that it is not, or not alone, responsible. It may say at its next word that it is. */
  leave(slot: number): void;
  /** Lets go of the slots for which a predicate does not hold. */
  keepOnly(holds: (slot: number) => boolean): void;
  /** Takes note of whether it answered lately. */
  check(nowMs: number): void;
  /** Closes both connections. */
  stop(): void;
}

/** What values rest on: that one server tells of every change in one slot. What was read counts as long as it holds and the server is reliable. */
export interface Footing {
  /** False for ever when changes may have gone unheard. */
  holds: boolean;
  readonly slot: number;
  readonly server: TrackedServer;
}

/** How often the server is asked whether it still tells of changes, in ms. */
const askIntervalMs = 200;

/**
 * How long after a question that was answered a server is relied on, in ms. Changes and answers come in order over one connection, so that
 * nothing that is relied on is older: availability that is older than its change by a second must not be shown.
 */
const reliedOnMs = 800;

const invalidations = "__redis__:invalidate";

/**
 * Has a server tell of changes (Redis' client-side caching, `CLIENT TRACKING` with `REDIRECT`). One connection reads what shall be tracked,
 * and changes it where that is amended in memory too; another hears of the changes. Where either is lost, what was read before does not count any more.
 */
export function createTrackedServer({ connect, askSlots, onChanged, onBegun, onError, now }: TrackedServerOptions): TrackedServer {
  const listener = connect();
  // In the newer version of the protocol the server's word comes in a form that the client drops; and who is subscribed in the older one
  // may not ask for its id.
  Object.assign(listener.options, { protocol: 2, autoResubscribe: false });
  const reader = connect();
  const footings = new Map<number, Footing>();
  let slots: SlotSet = noSlots;
  let reliableUntilMs = Number.NEGATIVE_INFINITY;
  /** Which client of which process listens. */
  let listening: { id: number; runId: string } | undefined;
  let isTracking = false;
  /** Counts the times that tracking began, so that an answer from before is not taken for one of now. */
  let beginnings = 0;
  let isStopped = false;

  function lose(): void {
    beginnings += 1;
    isTracking = false;
    server.isReliable = false;
    slots = noSlots;
    reliableUntilMs = Number.NEGATIVE_INFINITY;
    server.keepOnly(() => false);
  }

  async function track(): Promise<void> {
    lose();
    const begun = beginnings;
    if (listener.status !== "ready" || reader.status !== "ready") return;
    if (listening === undefined) {
      // Before it is subscribed: afterwards it may not ask.
      const [id, runId] = await Promise.all([listener.client("ID"), runIdOf(listener)]);
      if (begun !== beginnings) return;
      listening = { id, runId };
    }
    const { id, runId } = listening;
    await listener.subscribe(invalidations);
    if ((await runIdOf(reader)) !== runId) {
      // The address has moved between the two. To the other process the number is that of somebody else, who would be told of the changes.
      for (const connection of [listener, reader]) dropSilent(connection);
      return;
    }
    await reader.client("TRACKING", "OFF");
    await reader.client("TRACKING", "ON", "REDIRECT", id, "NOLOOP");
    if (begun !== beginnings) return;
    isTracking = true;
    await ask();
  }

  async function ask(): Promise<void> {
    if (!isTracking) return;
    const begun = beginnings;
    const askedMs = now();
    try {
      const [served] = await Promise.all([askSlots(reader), ping(listener)]);
      if (begun === beginnings) hear(served, askedMs);
    } catch (error) {
      // A server that hangs would let every read wait in turn: new connections fail at once until it is back.
      if (begun === beginnings && isCommandTimeout(error)) for (const connection of [listener, reader]) dropSilent(connection);
      throw error;
    }
  }

  function hear(served: SlotSet, askedMs: number): void {
    const isNews = served.text !== slots.text;
    slots = served;
    if (isNews) server.keepOnly((slot) => served.has(slot));
    reliableUntilMs = askedMs + reliedOnMs;
    server.check(now());
    if (isNews && server.isReliable) onBegun();
  }

  const report = (error: unknown) => {
    if (!isStopped) onError(error);
  };

  const server: TrackedServer = {
    isReliable: false,
    reader,
    footingOf(slot) {
      let footing = footings.get(slot);
      if (footing === undefined && slots.has(slot)) {
        footing = { holds: true, slot, server };
        footings.set(slot, footing);
      }
      return footing;
    },
    leave(left) {
      const before = slots;
      slots = { has: (slot) => slot !== left && before.has(slot), text: `${before.text} without ${left}` };
      server.keepOnly((slot) => slot !== left);
    },
    keepOnly(holds) {
      for (const [slot, footing] of footings) {
        if (holds(slot)) continue;
        footing.holds = false;
        footings.delete(slot);
      }
    },
    check(nowMs) {
      server.isReliable = nowMs <= reliableUntilMs;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      lose();
      listener.disconnect();
      reader.disconnect();
    },
  };

  for (const connection of [listener, reader]) {
    connection.on("ready", () => {
      track().catch(report);
    });
    connection.on("close", () => {
      if (connection === listener) listening = undefined;
      lose();
    });
    connection.connect().catch(report);
  }
  listener.on("messageBuffer", (_channel: Buffer, changed: readonly Buffer[] | null) => {
    if (changed !== null) {
      onChanged(changed);
      return;
    }
    // Without names the server says that all is gone.
    server.keepOnly(() => false);
    if (server.isReliable) onBegun();
  });
  const timer = setInterval(() => {
    ask().catch(report);
  }, askIntervalMs);
  timer.unref();
  return server;
}
