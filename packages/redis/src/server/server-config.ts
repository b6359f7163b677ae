/** When the append-only file is synced to disk. */
export type Appendfsync = "everysec" | "always";

/** Settings of a server that is a cluster node. */
export interface ClusterNodeConfig {
  /** TCP port of the cluster bus, on 127.0.0.1. */
  busPort: number;
  /** Silence after which another node counts as failed, in ms. */
  nodeTimeoutMs: number;
}

/** Settings that differ between private servers. */
export interface ServerConfig {
  dataDir: string;
  socketPath: string;
  /** TCP port on 127.0.0.1; 0 for none. */
  port: number;
  appendfsync: Appendfsync;
  cluster?: ClusterNodeConfig | undefined;
}

/** The text of a private server's configuration file. */
export function formatServerConfig({ dataDir, socketPath, port, appendfsync, cluster }: ServerConfig): string {
  const lines = [
    `unixsocket ${quote(socketPath)}`,
    "unixsocketperm 600",
    `port ${port}`,
    "bind 127.0.0.1",
    "protected-mode yes",
    "daemonize no",
    "supervised no",
    `logfile ""`,
    // An orphaned server is recognised by this file's name in its command line.
    `proc-title-template "{title} {config-file}"`,
    `dir ${quote(dataDir)}`,
    // The append-only file is the only persistent state; a snapshot beside it could be older and contradict it.
    `save ""`,
    "appendonly yes",
    `appendfsync ${appendfsync}`,
    // A crash may truncate the last entry. It was never acknowledged as durable, so the server drops it and starts.
    "aof-load-truncated yes",
    // All data must be kept: when memory runs out, writes are rejected and nothing is evicted.
    "maxmemory-policy noeviction",
    ...(cluster === undefined ? [] : clusterLines(cluster)),
  ];
  return `${lines.join("\n")}\n`;
}

function clusterLines({ busPort, nodeTimeoutMs }: ClusterNodeConfig): string[] {
  return ["cluster-enabled yes", `cluster-port ${busPort}`, `cluster-node-timeout ${nodeTimeoutMs}`, "cluster-config-file nodes.conf"];
}

/** Quotes a string for the configuration file. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}
