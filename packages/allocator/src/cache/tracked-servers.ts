import type { RedisConnection } from "@petak/redis";
import { slotMapOf } from "@petak/redis";
import type { Redis } from "ioredis";
import { createTrackedServer, type SlotTracking, type TrackedServer, type TrackedServerOptions } from "./tracked-server.ts";

/** Options of {@link createTrackedServers}. */
export interface TrackedServersOptions extends Pick<TrackedServerOptions, "onChanged" | "onTrackingStarted" | "onError" | "now"> {
  /** The connection whose server, or whose cluster's masters, are tracked. */
  connection: RedisConnection;
  /** Creates another connection to one of them, not connected yet. */
  connect: (server: Redis) => Redis;
}

/** All tracked servers of a connection. */
export interface TrackedServers {
  /** Whether every server is reliable, as of the last {@link check}. */
  readonly areReliable: boolean;
  /** Updates which servers are reliable. */
  check(): void;
  slotOf(key: string): number;
  /** The current tracking of a slot; undefined if no server would report all of its changes. */
  trackingOf(slot: number): SlotTracking | undefined;
  /** Closes the connections that were opened. */
  stop(): void;
}

/** Tracks the server of a connection, or each master of a cluster as masters come and go and slots move. */
export function createTrackedServers({ connection, connect, onError, ...options }: TrackedServersOptions): TrackedServers {
  const map = slotMapOf(connection);
  const tracked = new Map<string, TrackedServer>();
  let list: readonly TrackedServer[] = [];

  /**
   * Follows the slot map. A slot is relied on only if both its server's own answer and the slot map, which combines all servers' answers,
   * say so.
   */
  function followMap(): void {
    const servers = map.servers();
    for (const [name, server] of tracked) {
      if (servers.has(name)) {
        server.retain((slot) => map.ownerOf(slot) === name);
      } else {
        server.stop();
        tracked.delete(name);
      }
    }
    for (const [name, server] of servers) {
      if (tracked.has(name)) continue;
      const { askSlots } = map;
      tracked.set(name, createTrackedServer({ ...options, onError, askSlots, connect: () => connect(server) }));
    }
    list = [...tracked.values()];
  }

  const stopFollowing = map.whenChanged(followMap);
  followMap();
  return {
    get areReliable() {
      return list.length > 0 && list.every(({ isReliable }) => isReliable);
    },
    check() {
      const nowMs = options.now();
      for (const server of list) server.check(nowMs);
    },
    slotOf: map.slotOf,
    trackingOf: (slot) => tracked.get(map.ownerOf(slot) ?? "no server")?.trackingOf(slot),
    stop() {
      stopFollowing();
      for (const server of list) server.stop();
      list = [];
      tracked.clear();
    },
  };
}
