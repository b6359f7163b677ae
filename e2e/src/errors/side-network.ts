import { randomBytes } from "node:crypto";
import { createLogger, type GatewayOptions } from "@petak/gateway";
import type { RedisAddress } from "@petak/redis";
import { startTestNetwork, type TestNetwork } from "../testing/test-network.ts";
import { createRawCaller, type RawCaller } from "../wire/call.ts";

/** A network of its own, for what would disturb others. */
export interface SideNetwork {
  network: TestNetwork;
  raw: RawCaller;
  /** What its keys in Redis begin with. */
  keyPrefix: string;
  /** Its log lines. They are kept, and not shown: what goes wrong here is meant to. */
  lines: Record<string, unknown>[];
}

/** Runs work in a network of its own and stops it after. */
export async function inSideNetwork<Result>(
  redis: RedisAddress,
  overrides: Partial<GatewayOptions>,
  work: (side: SideNetwork) => Promise<Result>,
): Promise<Result> {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
  const keyPrefix = `side-${randomBytes(6).toString("hex")}`;
  const network = await startTestNetwork(redis, keyPrefix, { logger, ...overrides });
  const raw = createRawCaller(network.gateway.address.port);
  try {
    return await work({ network, raw, keyPrefix, lines });
  } finally {
    raw.close();
    await network.stop();
  }
}

/** Resolves when a gateway has so many calls of a kind in hand. */
export async function untilInFlight({ inFlight }: TestNetwork, kind: "unary" | "stream", wanted: number): Promise<void> {
  while ((await inFlight())[kind] < wanted) await new Promise((resolve) => setImmediate(resolve));
}
