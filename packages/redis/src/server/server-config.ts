/** How often the append-only log is forced to disk. */
export type Appendfsync = "everysec" | "always";

/** What makes a server one of a cluster. */
export interface ClusterNodeConfig {
  /** TCP port on 127.0.0.1 for the other servers. */
  busPort: number;
  /** How long another server may be silent before it counts as gone, in ms. */
  nodeTimeoutMs: number;
}

/** What differs from one private server to another. */
export interface ServerConfig {
  dataDir: string;
  socketPath: string;
  /** TCP port on 127.0.0.1; 0 for none. */
  port: number;
  appendfsync: Appendfsync;
  cluster?: ClusterNodeConfig | undefined;
}

/** The configuration of a private server, as the text of its file. */
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
    // The left-over of a crash is recognised by this file's name in its command line.
    `proc-title-template "{title} {config-file}"`,
    `dir ${quote(dataDir)}`,
    // The log alone is the record; snapshots beside it would be a second truth that can be older.
    `save ""`,
    "appendonly yes",
    `appendfsync ${appendfsync}`,
    // A crash may cut the last entry short. It was never acknowledged as durable, so it is dropped and the server starts.
    "aof-load-truncated yes",
    // Everything here is a record. When memory runs out, writes are refused; nothing is thrown away.
    "maxmemory-policy noeviction",
    ...(cluster === undefined ? [] : clusterLines(cluster)),
  ];
  return `${lines.join("\n")}\n`;
}

function clusterLines({ busPort, nodeTimeoutMs }: ClusterNodeConfig): string[] {
  return ["cluster-enabled yes", `cluster-port ${busPort}`, `cluster-node-timeout ${nodeTimeoutMs}`, "cluster-config-file nodes.conf"];
}

/** A string in the server's quoting. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}
