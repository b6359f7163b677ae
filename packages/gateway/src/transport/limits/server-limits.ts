import type { TrustedProxies } from "./peer.ts";

/** Limits of connections. */
export interface ServerLimits {
  /** Open TCP connections. Default 4096, which a small machine can serve with the session memory below. */
  maxConnections: number;
  /** Open TCP connections from one address; less while others leave less free. Default 1024: a large office or a mobile network behind one address. */
  maxConnectionsPerAddress: number;
  /**
   * Connections beyond those above that may only make health checks, at most a quarter of `maxConnections`. Default 32: many more than there are
   * supervisors, of which each asks in turn.
   */
  healthConnections: number;
  /**
   * How long a connection may be idle on which no caller has been identified yet, in ms. Default 10,000: clients call as soon as they are
   * connected.
   */
  firstCallTimeoutMs: number;
  /** The proxies that name the clients' addresses. Their own connections are not limited by address. Default: none. */
  trustedProxies: TrustedProxies;
  /** How long a new connection may take to reveal its protocol (TLS handshake or first bytes), in ms. Default 10,000. */
  sniffTimeoutMs: number;
  /** How long the headers of an HTTP/1.1 request may take, in ms. Default 15,000. */
  headersTimeoutMs: number;
  /** How long a whole HTTP/1.1 request may take, body included, in ms. Default 60,000, so that slow senders do not hold a connection for ever. */
  requestTimeoutMs: number;
  /** How long an idle HTTP/1.1 connection is kept, in ms. Default 65,000: above the 60 s of common load balancers, which must close first. */
  keepAliveTimeoutMs: number;
  /** How long an HTTP/2 connection without streams and pings is kept, in ms. Default 300,000. */
  sessionIdleTimeoutMs: number;
  /** All headers of a request together, in bytes. Default 16 KiB; a request token takes less than 1 KiB. */
  maxHeaderBytes: number;
  /** Streams open at once on one HTTP/2 connection. Default 256: more would only wait for one another. */
  maxStreamsPerConnection: number;
  /** Memory that one HTTP/2 connection may use, in MB. Default 16. */
  sessionMemoryMb: number;
}

/** The defaults of {@link ServerLimits}, which explains them. */
export const defaultServerLimits: Readonly<ServerLimits> = {
  maxConnections: 4096,
  maxConnectionsPerAddress: 1024,
  healthConnections: 32,
  firstCallTimeoutMs: 10_000,
  trustedProxies: { networks: [], header: "x-forwarded-for" },
  sniffTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  sessionIdleTimeoutMs: 300_000,
  maxHeaderBytes: 16 * 1024,
  maxStreamsPerConnection: 256,
  sessionMemoryMb: 16,
};
