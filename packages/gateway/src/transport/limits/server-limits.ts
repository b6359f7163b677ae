/** Limits of connections. */
export interface ServerLimits {
  /** Open TCP connections; further ones are closed at once. Default 4096, which a small machine can serve with the session memory below. */
  maxConnections: number;
  /** How long a new connection may take to reveal its protocol (TLS handshake or first bytes), in ms. Default 10,000. */
  sniffTimeoutMs: number;
  /** How long the headers of an HTTP/1.1 request may take, in ms. Default 15,000. */
  headersTimeoutMs: number;
  /** How long a whole HTTP/1.1 request may take, body included, in ms. Default 60,000, so that slow senders do not hold a connection for ever. */
  requestTimeoutMs: number;
  /** How long an idle HTTP/1.1 connection is kept, in ms. Default 65,000: above the 60 s of common load balancers, which must close first. */
  keepAliveTimeoutMs: number;
  /** How long an HTTP/2 connection without streams is kept, in ms. Default 300,000. */
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
  sniffTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  sessionIdleTimeoutMs: 300_000,
  maxHeaderBytes: 16 * 1024,
  maxStreamsPerConnection: 256,
  sessionMemoryMb: 16,
};
