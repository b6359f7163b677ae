import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import { createLogger, createMetrics, type GatewayOptions } from "@petak/gateway";
import { startTestNetwork, type TestKey, type TestNetwork } from "@petak/testkit/network";
import { gatewaySwitches } from "../rent/switches.ts";

/** Starts a network over the Redis at a socket, with a gateway configured like `petak gateway`. */
export function startBenchNetwork(
  socketPath: string,
  options: Partial<Pick<GatewayOptions, "durability" | "dataDir">> = {},
): Promise<TestNetwork> {
  return startTestNetwork({
    redis: { address: { socketPath } },
    shutdownGraceMs: 1000,
    holdMaxMs: 900_000,
    sweepIntervalMs: 1000,
    agentSyncIntervalMs: 30_000,
    logger: createLogger({ level: "warn" }),
    metrics: createMetrics(),
    ...gatewaySwitches(),
    ...options,
  });
}

/** The Authorization header of a key, valid for ten minutes: the load generators send it unchanged. */
export async function authorizationOf({ privateJwk: privateKey, ...key }: TestKey): Promise<string> {
  return `Bearer ${await signRequestToken({ ...key, privateKey, issuedAtMs: Date.now(), lifetimeMs: requestTokenMaxLifetimeMs })}`;
}
