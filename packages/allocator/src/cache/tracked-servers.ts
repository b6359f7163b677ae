import type { RedisConnection } from "@petak/redis";
import { slotMapOf } from "@petak/redis";
import type { Redis } from "ioredis";
import { createTrackedServer, type Footing, type TrackedServer, type TrackedServerOptions } from "./tracked-server.ts";

/** What tracked servers need. */
export interface TrackedServersOptions extends Pick<TrackedServerOptions, "onChanged" | "onBegun" | "onError" | "now"> {
  /** The connection whose servers are tracked: the one, or the masters of a cluster as it knows them. */
  connection: RedisConnection;
  /** Makes another connection to one of them, not connected yet. */
  connect: (server: Redis) => Redis;
}

/** All servers of a connection that tell of what changes. */
export interface TrackedServers {
  /** Whether every server is relied on, as {@link check} last found. */
  readonly areReliable: boolean;
  /** Takes note of which servers answered lately. */
  check(): void;
  slotOf(key: string): number;
  /** What is read of a slot now may rest on; undefined where nobody would tell of all its changes. */
  footingOf(slot: number): Footing | undefined;
  /** Closes the connections that were made. */
  stop(): void;
}

/** Tracks the server of a connection, or each master of a cluster as masters come and go and slots move. */
export function createTrackedServers({ connection, connect, onError, ...options }: TrackedServersOptions): TrackedServers {
  const map = slotMapOf(connection);
  const tracked = new Map<string, TrackedServer>();
  let list: readonly TrackedServer[] = [];

  /** What is relied on must be so by the servers' own word and by the map, which is made of what all of them say. */
  function followMap(): void {
    const servers = map.servers();
    for (const [name, server] of tracked) {
      if (servers.has(name)) {
        server.keepOnly((slot) => map.ownerOf(slot) === name);
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
    footingOf: (slot) => tracked.get(map.ownerOf(slot) ?? "no server")?.footingOf(slot),
    stop() {
      stopFollowing();
      for (const server of list) server.stop();
      list = [];
      tracked.clear();
    },
  };
}
