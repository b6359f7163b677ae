import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import { createLogger, createMetrics, type GatewayOptions } from "@petak/gateway";
import { startTestNetwork, type TestKey, type TestNetwork } from "@petak/testkit/network";
import { gatewaySwitches } from "../rent/switches.ts";
import { tracingOptions } from "../tracing/modes.ts";

/** Lets one participant hold every place. */
const noHoldLimits = { holdsSitePercent: 100, holdsRegionMax: 1_000_000_000, holdsAllMax: 1_000_000_000 };

/** Starts a network over the Redis at a socket, with a gateway configured like `petak gateway`. */
export function startBenchNetwork(
  socketPath: string,
  options: Partial<Pick<GatewayOptions, "durability" | "dataDir" | "logger" | "callLimits">> = {},
): Promise<TestNetwork> {
  return startTestNetwork({
    redis: { address: { socketPath } },
    shutdownGraceMs: 1000,
    holdMaxMs: 900_000,
    // One courier stands for all.
    ...noHoldLimits,
    sweepIntervalMs: 1000,
    agentSyncIntervalMs: 30_000,
    logger: createLogger({ level: "warn" }),
    metrics: createMetrics(),
    // The empty call of the benches is a health check, and a connection is answered only a few of those each second.
    callLimits: { callerRefusalsPerSecond: 10_000_000 },
    ...gatewaySwitches(),
    ...tracingOptions(),
    ...options,
  });
}

/** The Authorization header of a key, valid for ten minutes: the load generators send it unchanged. */
export async function authorizationOf({ privateJwk: privateKey, ...key }: TestKey): Promise<string> {
  return `Bearer ${await signRequestToken({ ...key, privateKey, issuedAtMs: Date.now(), lifetimeMs: requestTokenMaxLifetimeMs })}`;
}
