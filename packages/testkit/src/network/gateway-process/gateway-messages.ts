import type { DurabilityOptions } from "@petak/gateway";
import type { RedisAddress } from "@petak/redis";

/** Options of a gateway in a process of its own. */
export interface GatewayProcessOptions {
  redis: RedisAddress;
  keyPrefix: string;
  dataDir: string;
  /** `publicKey` in base64url. Left out where another gateway has registered one. */
  admin?: { participantId: string; keyId: string; publicKey: string };
  /** How safe a change is when it is answered. Default: as its server keeps it. */
  durability?: DurabilityOptions;
  /** How much its clock is ahead of the machine's, in ms. Default 0. */
  clockAheadMs?: number;
  /** How long a place is held where the caller does not say, in ms. Default a quarter of an hour. */
  holdDefaultMs?: number;
  /** Pause between two sweeps, in ms. Default 1000. */
  sweepIntervalMs?: number;
  /** Whether errors keep one line of their stack: refusals by the ten thousand take a fifth longer with all of it. Default false. */
  hasShortStacks?: boolean;
  callLimits?: { defaultTimeoutMs: number; maxTimeoutMs: number };
  serverLimits?: { headersTimeoutMs: number; requestTimeoutMs: number; sniffTimeoutMs: number };
}

/** What a gateway's process tells of itself. */
export interface Measurement {
  /** The heap in use after a forced collection. */
  heapBytes: number;
  /** Calls in hand. */
  inFlight: number;
  /** Memory outside of the heap that buffers and sockets have. */
  externalBytes: number;
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
