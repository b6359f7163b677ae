import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRequestSigner, createServiceClient } from "@petak/client";
import { Act, EventType, Mode, ReservationState, Role, reasonOf } from "@petak/protocol";
import { TestClockService } from "@petak/protocol/test-clock";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { nowhereUrl } from "../testing/good-requests.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;

const options = { testClock: true, holdDefaultMs: hourMs, holdMaxMs: hourMs, collectWithinMs: 3 * dayMs, storageMaxMs: 5 * dayMs };

beforeEach(async () => {
  aheadMs = 0;
  // Sweeps run only when the test advances the clock.
  network = await startTestNetwork({ redis, ...options, sweepIntervalMs: dayMs });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2]] }));
  return () => network.stop();
});

const clockOf = ({ baseUrl }: Pick<TestNetwork, "baseUrl">, { signer }: TestParticipant) =>
  createServiceClient(TestClockService, { baseUrl, signer });

async function nowMs(): Promise<number> {
  const { time } = await clockOf(network, courier).getTestClock({});
  return timestampMs(time ?? timestampFromMs(0));
}

/** How far the test has advanced the gateway's clock ahead of the system's, in ms. */
let aheadMs = 0;

/** Advances the clock. Returns how many reservations changed. */
async function pass(ms: number): Promise<number> {
  const time = timestampFromMs((await nowMs()) + ms);
  const moved = await clockOf(network, network.admin).moveTestClock({ time });
  aheadMs = timestampMs(moved.time ?? time) - Date.now();
  return moved.changedReservations;
}

async function reserve(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  return reservation?.reservationId ?? "";
}

const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

describe("a gateway with a test clock", () => {
  it("takes a parcel through a week in a few calls", async () => {
    const expired = await reserve();
    expect(await pass(hourMs)).toBe(1);
    expect(await stateOf(expired)).toBe(ReservationState.EXPIRED);

    const reservationId = await reserve();
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const tokenFor = async (act: Act) =>
      (await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
    const cabinet = [{ compartmentId: "M1", sizeClassId: "M" }];
    const terminal = await network.openTerminal(operator, siteId, { cabinet, now: () => Date.now() + aheadMs });
    expect(await terminal.visit({ token: await tokenFor(Act.DEPOSIT) })).toMatchObject({ opened: true });
    const collect = await tokenFor(Act.COLLECT);
    expect(await pass(3 * dayMs - hourMs)).toBe(0);
    expect(await pass(2 * hourMs)).toBe(1);
    const { events } = await courier.client.custody.listEvents({});
    expect(events.filter((event) => event.reservationId === reservationId).at(-1)?.type).toBe(EventType.PARCEL_OVERDUE);

    // The site follows the clock too: days after its end the token opens nothing.
    await pass(20 * dayMs);
    expect(await terminal.agent.present({ token: collect })).toMatchObject({ opened: false });
  });

  it("accepts request tokens of the system's time and of its own", async () => {
    await pass(dayMs);
    expect(await stateOf(await reserve())).toBe(ReservationState.HELD);
    const signer = createRequestSigner({ ...courier.key, now: () => Date.now() + aheadMs });
    const found = await network.clientFor(signer).directory.findNearest({ origin, parcel });
    expect(found.options).toHaveLength(1);
  });

  it("remembers a used proof until the system's clock would not accept it any more either", async () => {
    await pass(7 * dayMs);
    const signer = createRequestSigner({ ...courier.key, now: () => Date.now() + aheadMs });
    await network.clientFor(signer).webhooks.createEndpoint({ requestId: randomUUID(), url: nowhereUrl });
    const [marker = ""] = await redis.client.keys(`*:proof:${signer.keyId}:*`);
    expect(await redis.client.pttl(marker)).toBeGreaterThan(7 * dayMs);
  });

  it("serves the test network only", async () => {
    const live = await network.join("Live courier", [Role.COURIER], Mode.LIVE);
    const refused = await live.client.directory.findNearest({ origin, parcel }).catch((error: unknown) => error);
    expect(reasonOf(refused)).toBe("MODE_MISMATCH");
  });

  it("is advanced only, never set back, and only by an administrator", async () => {
    const now = await nowMs();
    const advance = (by: TestParticipant, timeMs: number) =>
      clockOf(network, by)
        .moveTestClock({ time: timestampFromMs(timeMs) })
        .catch((error: unknown) => reasonOf(error));
    expect(await advance(network.admin, now - 2 * hourMs)).toBe("INVALID_FIELD");
    expect(await advance(network.admin, now + 11 * 366 * dayMs)).toBe("INVALID_FIELD");
    expect(await advance(courier, now + hourMs)).toBe("ROLE_REQUIRED");
    expect(await nowMs()).toBeLessThan(now + hourMs);
  });

  it("keeps its time after a restart, and other gateways have no test clock", async () => {
    await pass(7 * dayMs);
    const before = await nowMs();
    const again = await startTestNetwork({ redis, ...options, dataDir: network.shared.dataDir });
    try {
      const { time } = await clockOf(again, again.admin).getTestClock({});
      expect(timestampMs(time ?? timestampFromMs(0))).toBeGreaterThanOrEqual(before);
    } finally {
      await again.stop();
    }
    const ordinary = await startTestNetwork({ redis, keyPrefix: `${redis.keyPrefix}ordinary` });
    try {
      const refused = await clockOf(ordinary, ordinary.admin)
        .getTestClock({})
        .catch((error: unknown) => ConnectError.from(error).code);
      expect(refused).toBe(Code.Unimplemented);
    } finally {
      await ordinary.stop();
    }
  });
});
