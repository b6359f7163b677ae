import type { ClusterConnection } from "../connection/cluster-connection.ts";
import { isCluster, ping, type RedisConnection } from "../connection/connect-redis.ts";
import { replicationMarkerOn } from "../durability/replication-marker.ts";
import type { Keys } from "../keys.ts";
import { serverName } from "./server-name.ts";

/** A server of the store that fails. */
export interface FailingServer {
  /** `host:port`, or the path of its socket. */
  server: string;
  /** The server's error, or the client's if the server did not answer. */
  error: Error;
}

/**
 * The servers that do not answer; empty if every key can be read. In a cluster, the servers that own slots by the slot map last read are
 * asked. A server that rejects commands only because slots are missing (CLUSTERDOWN) is listed only if no other server fails, since others
 * are the cause.
 */
export async function unresponsiveServers(connection: RedisConnection): Promise<FailingServer[]> {
  if (!isCluster(connection)) return await failuresOf([[serverName(connection), () => ping(connection)]]);
  const owners = new Set(connection.slots.flatMap((names) => names?.slice(0, 1) ?? []));
  if (owners.size === 0) return [{ server: "", error: new Error("None of startup nodes is available") }];
  const unresponsive = await failuresOf([...owners].map((name) => [name, () => checkMaster(connection, name)]));
  const causes = unresponsive.filter(({ error }) => !error.message.startsWith("CLUSTERDOWN "));
  return causes.length > 0 ? causes : unresponsive;
}

/** The servers that answer but reject writes. Writes a short-lived marker to each. */
export async function serversRejectingWrites(connection: RedisConnection, keys: Keys): Promise<FailingServer[]> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  return await failuresOf(
    servers.map((server) => [
      serverName(server),
      async () => void (await server.set(replicationMarkerOn(connection, keys, server), "1", "PX", markerTtlMs)),
    ]),
  );
}

/** Expiry of the marker, in ms. */
const markerTtlMs = 1000;

async function checkMaster(cluster: ClusterConnection, name: string): Promise<void> {
  const server = cluster.nodes("all").find((node) => serverName(node) === name);
  if (server === undefined) throw new Error("Connection is closed.");
  const info = String(await server.cluster("INFO"));
  if (!/^cluster_state:ok\r?$/m.test(info)) throw new Error("CLUSTERDOWN The cluster is down");
}

async function failuresOf(checks: readonly (readonly [server: string, check: () => Promise<void>])[]): Promise<FailingServer[]> {
  const results = await Promise.all(
    checks.map(async ([server, check]) => {
      try {
        await check();
        return [];
      } catch (error) {
        return [{ server, error: error instanceof Error ? error : new Error(String(error)) }];
      }
    }),
  );
  return results.flat();
}
