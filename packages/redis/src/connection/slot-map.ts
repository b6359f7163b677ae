import type { Redis } from "ioredis";
import type { ClusterConnection } from "./cluster-connection.ts";
import { isCluster, type RedisConnection } from "./connect-redis.ts";
import { allSlots, type SlotSet, servedSlots } from "./served-slots.ts";

/** How slots are distributed over servers, as a connection currently knows it. */
export interface SlotMap {
  slotOf(key: string): number;
  /** The name of the server that serves a slot; undefined if unknown. */
  ownerOf(slot: number): string | undefined;
  /** The connection to each server that serves slots, by server name. */
  servers(): ReadonlyMap<string, Redis>;
  /** Asks a server, over any connection to it, for which slots it sees every change to their keys. */
  askSlots(server: Redis): Promise<SlotSet>;
  /** Calls a listener when the map may have changed. Returns a function that removes the listener. */
  whenChanged(listener: () => void): () => void;
}

/** The slot map of a connection. A single server is treated as one slot. */
export function slotMapOf(connection: RedisConnection): SlotMap {
  return isCluster(connection) ? clusterMap(connection) : singleMap(connection);
}

function singleMap(connection: Redis): SlotMap {
  const name = "";
  const servers = new Map([[name, connection]]);
  return {
    slotOf: () => 0,
    ownerOf: () => name,
    servers: () => servers,
    askSlots: () => Promise.resolve(allSlots),
    whenChanged: () => () => undefined,
  };
}

const mapEvents = ["refresh", "+node", "-node"];

function clusterMap(cluster: ClusterConnection): SlotMap {
  return {
    slotOf: (key) => cluster.slotOf(key),
    ownerOf: (slot) => cluster.slots[slot]?.[0],
    servers() {
      const owners = new Set(cluster.slots.map((names) => names[0]));
      const named = cluster.nodes("all").map((server): [string, Redis] => [nameOf(server), server]);
      return new Map(named.filter(([name]) => owners.has(name)));
    },
    async askSlots(server) {
      const answers = await Promise.all([server.cluster("NODES"), server.cluster("INFO")]);
      const [nodes, info] = answers as [string, string];
      return servedSlots(nodes, info);
    },
    whenChanged(listener) {
      for (const event of mapEvents) cluster.on(event, listener);
      return () => {
        for (const event of mapEvents) cluster.off(event, listener);
      };
    },
  };
}

/** A server's name in the cluster's slot map. */
function nameOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
