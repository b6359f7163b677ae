/** What the gateway of a process of its own is set up with. */
export interface GatewayProcessOptions {
  socketPath: string;
  keyPrefix: string;
  dataDir: string;
  audience: string;
  /** `publicKey` in base64url. Left out where another gateway has registered one. */
  admin?: { participantId: string; keyId: string; publicKey: string };
  callLimits?: { defaultTimeoutMs: number; maxTimeoutMs: number };
  serverLimits?: { headersTimeoutMs: number; requestTimeoutMs: number; sniffTimeoutMs: number };
}

/** What a gateway's process tells of itself. */
export interface Measurement {
  /** The heap in use after a forced collection. */
  heapBytes: number;
  /** Calls in hand. */
  inFlight: number;
  /** Open connections of clients. */
  connections: number;
  /** What keeps the process alive beside timers: sockets, listeners, pipes. */
  handles: number;
  /** Every log line of level error or worse. */
  wrongLines: string[];
}

/** What the process is told to do. */
export type Order = { kind: "start"; options: GatewayProcessOptions } | { kind: "measure" } | { kind: "stop" };

/** What it answers. A stop is answered by its end. */
export type Reply = { kind: "started"; port: number } | { kind: "measured"; measurement: Measurement };
