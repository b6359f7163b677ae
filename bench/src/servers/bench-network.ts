import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import { createLogger, createMetrics, type GatewayOptions } from "@petak/gateway";
import { startTestNetwork, type TestKey, type TestNetwork } from "@petak/testkit/network";
import { gatewaySwitches } from "../rent/switches.ts";

/** Starts a network whose gateway is set up as `petak gateway` sets it up, over the Redis at a socket. */
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

/** The Authorization header of a key, good for ten minutes: the load generators send what they are given. */
export async function authorizationOf({ privateJwk: privateKey, ...key }: TestKey): Promise<string> {
  return `Bearer ${await signRequestToken({ ...key, privateKey, issuedAtMs: Date.now(), lifetimeMs: requestTokenMaxLifetimeMs })}`;
}
