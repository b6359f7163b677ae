import { randomBytes } from "node:crypto";
import type { RedisAddress } from "@petak/redis";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions } from "@petak/testkit/network";
import { createRawCaller, type RawCaller } from "../wire/call.ts";

/** A separate network, for tests that would disturb others. */
export interface SideNetwork {
  network: TestNetwork;
  raw: RawCaller;
}

/** Runs work in a separate network and stops it afterwards. */
export async function inSideNetwork<Result>(
  redis: { readonly address: RedisAddress },
  overrides: TestNetworkOptions,
  work: (side: SideNetwork) => Promise<Result>,
): Promise<Result> {
  const keyPrefix = `side-${randomBytes(6).toString("hex")}`;
  const network = await startTestNetwork({ redis, keyPrefix, expectsErrors: true, ...overrides });
  const raw = createRawCaller(network.port);
  try {
    return await work({ network, raw });
  } finally {
    raw.close();
    await network.stop();
  }
}

/** Resolves when a gateway has this many calls of a kind in progress. */
export async function untilInFlight({ inFlight }: TestNetwork, kind: "unary" | "stream", wanted: number): Promise<void> {
  while ((await inFlight())[kind] < wanted) await new Promise((resolve) => setImmediate(resolve));
}
