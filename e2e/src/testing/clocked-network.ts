import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { followTestClock, type TestClockFollower } from "@petak/agent";
import { createServiceClient } from "@petak/client";
import { Role } from "@petak/protocol";
import { TestClockService } from "@petak/protocol/test-clock";
import type { useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions, type TestParticipant } from "@petak/testkit/network";

/** A network by a test clock that only the test moves. */
export interface ClockedNetwork {
  readonly network: TestNetwork;
  readonly operator: TestParticipant;
  readonly courier: TestParticipant;
  readonly clock: TestClockFollower;
  /** Lets time pass at the gateway and for all who follow its clock. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it. */
export async function startClockedNetwork(
  { address }: ReturnType<typeof useRedis>,
  options: Omit<TestNetworkOptions, "redis" | "testClock">,
): Promise<ClockedNetwork> {
  const network = await startTestNetwork({ redis: { address }, testClock: true, ...options });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const clockOf = ({ signer }: TestParticipant) => createServiceClient(TestClockService, { baseUrl: network.baseUrl, signer });
  const clock = await followTestClock(clockOf(courier), { intervalMs: Number.POSITIVE_INFINITY });
  return {
    network,
    operator,
    courier,
    clock,
    async pass(ms) {
      await clockOf(network.admin).moveTestClock({ time: timestampFromMs(clock.now() + ms) });
      await clock.update();
    },
    async stop() {
      clock.stop();
      await network.stop();
    },
  };
}
