import { randomUUID } from "node:crypto";
import { createPetakClient, type PetakClient } from "@petak/client/node";
import { CancellationReason, catalogue, ReservationState, Role, reasonOf } from "@petak/protocol";
import { createRandom, makeSite, startTestServer, tempDir, testSeed } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";

/** Two consecutive releases: both read two versions, and the later one writes the later version. */
const older = { versions: { oldestRead: 2, newestRead: 3, written: 2 } };
const newer = { versions: { oldestRead: 2, newestRead: 3, written: 3 } };

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const callerCount = 12;

/** A gateway of a release, behind a balancer's address. */
interface Behind {
  network: TestNetwork;
  client: PetakClient;
}

test("two gateways are replaced one after the other by the next release under load: nothing is refused but what a retry cures", {
  timeout: 300_000,
}, async () => {
  const random = createRandom(testSeed());
  const server = await startTestServer();
  onTestFinished(() => server.stop());
  const dataDir = await tempDir();
  const start = async (storeEntry: TestNetworkOptions["storeEntry"]) => {
    const network = await startTestNetwork({
      redis: { address: server.address },
      keyPrefix: "petak",
      dataDir,
      ...(storeEntry && { storeEntry }),
    });
    onTestFinished(() => network.stop());
    return network;
  };
  const [one, two] = [await start(older), await start(older)];
  const operator = await one.join("Operator", [Role.OPERATOR]);
  const courier = await one.join("Courier", [Role.COURIER]);
  const siteId = await one.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 250]] }));
  const behind = (network: TestNetwork): Behind => {
    const client = createPetakClient({ baseUrl: network.baseUrl, signer: courier.signer, timeoutMs: 60_000 });
    onTestFinished(() => client.close());
    return { network, client };
  };
  const balanced: Behind[] = [one, two].map(behind);

  const seen = { answers: 0, retried: 0 };
  const wrong: string[] = [];
  const expected = new Map<string, ReservationState>();

  /** Sends a request to one of the gateways, and again, unchanged, where the reason says that this helps or there was no answer. */
  async function answered<Answer>(send: (client: PetakClient) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        const answer = await send(random.pick(balanced).client);
        seen.answers += 1;
        return answer;
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== undefined && catalogue[reason].retry === "no") {
          wrong.push(`${reason}: ${(error as Error).message}`);
          throw error;
        }
        seen.retried += 1;
      }
    }
  }

  let isOver = false;
  async function caller(): Promise<void> {
    while (!isOver) {
      const requestIds = [randomUUID(), randomUUID(), randomUUID()] as const;
      const [reserveId, confirmId, cancelId] = requestIds;
      const { reservation } = await answered(({ reservations }) =>
        reservations.reserve({ requestId: reserveId, place: { case: "siteId", value: siteId }, parcel }),
      );
      const { reservationId = "" } = reservation ?? {};
      expected.set(reservationId, ReservationState.HELD);
      await answered(({ reservations }) => reservations.confirm({ requestId: confirmId, reservationId }));
      expected.set(reservationId, ReservationState.CONFIRMED);
      // Some stay, so that there is something to lose.
      if (expected.size <= 150 && random.bool(0.3)) continue;
      await answered(({ reservations }) => reservations.cancel({ requestId: cancelId, reservationId, reason: CancellationReason.OTHER }));
      expected.set(reservationId, ReservationState.CANCELLED);
    }
  }

  const callers = Array.from({ length: callerCount }, caller);
  const untilMore = async () => {
    const from = seen.answers;
    await expect.poll(() => seen.answers - from, { timeout: 120_000, interval: 20 }).toBeGreaterThan(200);
  };
  await untilMore();
  for (const index of [0, 1]) {
    const { network } = balanced[index] as Behind;
    // As a supervisor does: the old one ends while it is still asked, then the new one begins.
    await network.gateway.stop();
    balanced[index] = behind(await start(newer));
    await untilMore();
  }
  isOver = true;
  await Promise.all(callers);

  expect(wrong).toEqual([]);
  expect(seen.retried).toBeGreaterThan(0);
  for (const [reservationId, state] of expected) {
    const { reservation } = await answered(({ reservations }) => reservations.getReservation({ reservationId }));
    expect([reservationId, reservation?.state]).toEqual([reservationId, state]);
  }
  const alive = [...expected.values()].filter((state) => state === ReservationState.CONFIRMED).length;
  const { options } = await answered(({ directory }) => directory.findNearest({ origin: { latitude: 1.3, longitude: 103.8 }, parcel }));
  expect(options.map(({ freeToPromise }) => freeToPromise)).toEqual([250 - alive]);
});
