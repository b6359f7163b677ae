import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { followTestClock, type TestClockFollower } from "@petak/agent";
import { createOwnServiceClient, type KeyFile, signerOfKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";
import type { CityRun } from "./city-run.ts";

const weekMs = 7 * 86_400_000;

/** A gateway's test clock, which the run moves. */
export interface DrivenClock {
  readonly follower: TestClockFollower;
  /** When the run began, by the network's time: ms since 1970. */
  readonly beganMs: number;
  /** Ms of the trace that have passed. */
  planMs(): number;
  /** Moves it to a time of the trace, which may have passed already by itself. Returns how many reservations changed because of that. */
  moveTo(planMs: number): Promise<number>;
  stop(): void;
}

/**
 * Takes over a gateway's test clock. It is moved to the next time at which the week is where the trace begins, so that the hours of the day are those of the trace.
 *
 * @param admin key of a participant with the role ADMIN
 * @throws {NoTestClockError}; ConnectError if the gateway does not answer or refuses the key.
 */
export async function driveClock(gateway: CityRun["gateway"], admin: KeyFile, startAtMs: number): Promise<DrivenClock> {
  const { client, close } = testClockOf(gateway, admin);
  const follower = await followTestClock(client, { intervalMs: Number.POSITIVE_INFINITY });
  const moveTo = async (networkMs: number) => {
    const { changedReservations } = await client.moveTestClock({ time: timestampFromMs(Math.max(networkMs, follower.now())) });
    await follower.update();
    return changedReservations;
  };
  const nowMs = Math.ceil(follower.now());
  await moveTo(nowMs + ((((startAtMs - nowMs) % weekMs) + weekMs) % weekMs));
  const beganMs = Math.round(follower.now());
  return {
    follower,
    beganMs,
    planMs: () => follower.now() - beganMs,
    moveTo: (planMs) => moveTo(beganMs + planMs),
    stop() {
      follower.stop();
      close();
    },
  };
}

/** The service of a gateway's test clock, and what closes its connections. */
export function testClockOf({ url, tls }: CityRun["gateway"], key: KeyFile) {
  return createOwnServiceClient(TestClockService, { baseUrl: url, signer: signerOfKeyFile(key), timeoutMs: 60_000, tls });
}
