/** One server of a cluster. */
export interface ClusterNodeAddress {
  host: string;
  port: number;
}

/** A cluster, given by some of its servers; the others are discovered. */
export interface ClusterAddress {
  cluster: ClusterNodeAddress[];
  username?: string;
  password?: string;
  /** Whether all servers use TLS. Default false. */
  hasTls?: boolean;
}

/** Address of the store: a URL `redis://…` or `rediss://…`, the Unix socket of a private server, or a cluster. */
export type RedisAddress = { url: string } | { socketPath: string } | ClusterAddress;

/** URL schemes of Redis addresses. */
export const redisProtocols = ["redis:", "rediss:", "unix:", "redis+cluster:", "rediss+cluster:"] as const;

const defaultPort = 6379;

/** `redis+cluster://user:password@host:port,host:port`: scheme, user and password, hosts. No path: a cluster has a single database. */
const clusterPattern = /^(rediss?)\+cluster:\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/i;

/** Formats an address for people, in the syntax of the settings but without user and password. */
export function redisAddressText(address: RedisAddress): string {
  if ("socketPath" in address) return `unix://${address.socketPath}`;
  if ("cluster" in address) {
    const hosts = address.cluster.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
    return `${address.hasTls === true ? "rediss" : "redis"}+cluster://${hosts.join(",")}`;
  }
  const { protocol, host, pathname } = new URL(address.url);
  return `${protocol}//${host}${pathname}`;
}

/** Parses an address in the syntax of the settings; undefined if the text is not an address. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const cluster = clusterPattern.exec(text);
  if (cluster !== null) {
    const [, scheme = "", user = "", hosts = ""] = cluster;
    return parseCluster(scheme.toLowerCase(), user, hosts.split(","));
  }
  const url = URL.parse(text);
  if (url?.protocol === "unix:") return { socketPath: decodeURIComponent(url.pathname) };
  return url?.protocol === "redis:" || url?.protocol === "rediss:" ? { url: text } : undefined;
}

function parseCluster(scheme: string, user: string, hosts: string[]): ClusterAddress | undefined {
  const urls = hosts.map((host) => URL.parse(`redis://${user === "" ? "" : `${user}@`}${host}`));
  const nodes = urls.flatMap((url) => {
    if (url === null || url.hostname === "" || url.pathname !== "") return [];
    // Only in a URL is an IPv6 address written in brackets.
    return [{ host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? defaultPort : Number(url.port) }];
  });
  if (nodes.length !== hosts.length) return undefined;
  const [username, password] = [urls[0]?.username ?? "", urls[0]?.password ?? ""].map(decodeURIComponent) as [string, string];
  return {
    cluster: nodes,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(scheme === "rediss" ? { hasTls: true } : {}),
  };
}
