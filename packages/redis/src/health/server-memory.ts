import { isCluster, type RedisConnection } from "../connection/connect-redis.ts";
import { serverName } from "./server-name.ts";

/** The memory of one server. */
export interface ServerMemory {
  /** `host:port`, or the path of its socket. */
  server: string;
  /** What counts towards its `maxmemory`, in bytes. */
  usedBytes: number;
  /** Its `maxmemory`, in bytes. 0: it has none. */
  maxBytes: number;
}

/** Reads the memory of the server, or of each master of a cluster, by INFO. Rejects if one of them does not tell. */
export async function memoryOfServers(connection: RedisConnection): Promise<ServerMemory[]> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  return await Promise.all(
    servers.map(async (server) => {
      const info = await server.info("memory");
      const used = numberIn(info, "used_memory");
      if (used === undefined) throw new Error(`${serverName(server)} does not disclose its used_memory`);
      // Buffers to replicas and of the append-only file are not counted when the server decides whether it is full.
      const usedBytes = Math.max(0, used - (numberIn(info, "mem_not_counted_for_evict") ?? 0));
      return { server: serverName(server), usedBytes, maxBytes: numberIn(info, "maxmemory") ?? 0 };
    }),
  );
}

function numberIn(info: string, field: string): number | undefined {
  const [, digits] = new RegExp(`^${field}:(\\d+)\\r?$`, "m").exec(info) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
