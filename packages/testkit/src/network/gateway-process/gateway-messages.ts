import type { DurabilityOptions, GatewayOptions } from "@petak/gateway";
import type { RedisAddress } from "@petak/redis";

/** Options of a gateway in its own process. */
export interface GatewayProcessOptions {
  redis: RedisAddress;
  keyPrefix: string;
  dataDir: string;
  /** `publicKey` in base64url. Omit if another gateway has registered an administrator. */
  admin?: { participantId: string; keyId: string; publicKey: string };
  /** Durability level. Default: that of its server. */
  durability?: DurabilityOptions;
  /** Lead of its clock over the machine's, in ms. Default 0. */
  clockAheadMs?: number;
  /** Default duration of holds, in ms. Default 900,000. */
  holdDefaultMs?: number;
  /** Pause between two sweeps, in ms. Default 1000. */
  sweepIntervalMs?: number;
  /** Whether errors keep only one line of their stack, which makes tens of thousands of refusals a fifth faster. Default false. */
  hasShortStacks?: boolean;
  /** Omitted limits have their defaults. */
  callLimits?: NonNullable<GatewayOptions["callLimits"]>;
  serverLimits?: NonNullable<GatewayOptions["serverLimits"]>;
}

/** What a gateway's process is doing. */
export interface Activity {
  /** Calls in progress. */
  inFlight: number;
  /** Open connections of clients. */
  connections: number;
  /** The kind of each active resource besides timers: sockets, listeners, pipes. */
  handles: readonly string[];
  /** All log lines of level error or higher. */
  wrongLines: string[];
}

/** What a gateway's process is doing, and its memory after a forced garbage collection. */
export interface Measurement extends Activity {
  /** Used heap. */
  heapBytes: number;
  /** Memory of buffers and sockets outside of the heap. */
  externalBytes: number;
}

/** Messages to the process. */
export type Order = { kind: "start"; options: GatewayProcessOptions } | { kind: "look" } | { kind: "measure" } | { kind: "stop" };

/** Its replies. It replies to `stop` by exiting. */
export type Reply =
  | { kind: "started"; port: number; managementUrl: string }
  | { kind: "seen"; activity: Activity }
  | { kind: "measured"; measurement: Measurement };
