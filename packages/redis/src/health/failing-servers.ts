import type { Redis } from "ioredis";
import type { ClusterConnection } from "../connection/cluster-connection.ts";
import { isCluster, ping, type RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";
import { ownMark } from "./own-mark.ts";

/** A server with records that does not do its part. */
export interface FailingServer {
  /** `host:port`, or the path of its socket. */
  server: string;
  /** What it said, or the client in place of it. */
  error: Error;
}

/**
 * The servers that do not answer: where none is named, all calls find their records. A cluster's servers are those that have slots by its map as it was read
 * last. One that takes no commands because slots are missing is named where nothing else is, for it waits for those that are.
 */
export async function silentServers(connection: RedisConnection): Promise<FailingServer[]> {
  if (!isCluster(connection)) return await failing([[nameOf(connection), () => ping(connection)]]);
  const owners = new Set(connection.slots.flatMap((names) => names?.slice(0, 1) ?? []));
  if (owners.size === 0) return [{ server: "", error: new Error("None of startup nodes is available") }];
  const silent = await failing([...owners].map((name) => [name, () => askMaster(connection, name)]));
  const culprits = silent.filter(({ error }) => !error.message.startsWith("CLUSTERDOWN "));
  return culprits.length > 0 ? culprits : silent;
}

/** The servers that answer and refuse to change anything. Each is asked to write something that says nothing and is soon gone. */
export async function refusingServers(connection: RedisConnection, keys: Keys): Promise<FailingServer[]> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  return await failing(
    servers.map((server) => [nameOf(server), async () => void (await server.set(ownMark(connection, keys, server), "1", "PX", markTtlMs))]),
  );
}

/** How long what was written to try is kept, in ms. */
const markTtlMs = 1000;

async function askMaster(cluster: ClusterConnection, name: string): Promise<void> {
  const server = cluster.nodes("all").find((node) => nameOf(node) === name);
  if (server === undefined) throw new Error("Connection is closed.");
  const info = String(await server.cluster("INFO"));
  if (!/^cluster_state:ok\r?$/m.test(info)) throw new Error("CLUSTERDOWN The cluster is down");
}

async function failing(asked: readonly (readonly [server: string, ask: () => Promise<void>])[]): Promise<FailingServer[]> {
  const results = await Promise.all(
    asked.map(async ([server, ask]) => {
      try {
        await ask();
        return [];
      } catch (error) {
        return [{ server, error: error instanceof Error ? error : new Error(String(error)) }];
      }
    }),
  );
  return results.flat();
}

function nameOf({ options }: Redis): string {
  return options.path ?? `${options.host}:${options.port}`;
}
