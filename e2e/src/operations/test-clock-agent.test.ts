import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { followTestClock, type TestClockFollower } from "@petak/agent";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { createServiceClient, type PetakClient } from "@petak/client";
import { Act, type DayOfWeek, EventType, Mode, ReservationState, Role, reasonOf } from "@petak/protocol";
import { TestClockService } from "@petak/protocol/test-clock";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** The site's time zone has no daylight saving time. */
const singaporeAheadMs = 8 * hourMs;

const days = [1, 2, 3, 4, 5, 6, 7] as DayOfWeek[];
/** Every day from 8:00 to 20:00. */
const weekly = days.map((day) => ({ openDay: day, openMinute: 8 * 60, closeDay: day, closeMinute: 20 * 60 }));

let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let clock: TestClockFollower;
let terminal: SimulatedTerminal;
/** False: the agent cannot reach the gateway. */
let isAgentOnline: boolean;

const clockOf = ({ baseUrl }: Pick<TestNetwork, "baseUrl">, { signer }: TestParticipant) =>
  createServiceClient(TestClockService, { baseUrl, signer });

beforeEach(async () => {
  isAgentOnline = true;
  network = await startTestNetwork({
    redis,
    testClock: true,
    holdDefaultMs: hourMs,
    collectWithinMs: 3 * dayMs,
    storageMaxMs: 14 * dayMs,
    // Sweeps only when the test moves the clock.
    sweepIntervalMs: dayMs,
    agentSyncIntervalMs: 30_000,
  });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  const site = makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }, { openingHours: { weekly } });
  siteId = await network.putSite(operator, site);
  clock = await followTestClock(clockOf(network, courier), { intervalMs: Number.POSITIVE_INFINITY });
  const { agents } = network.clientFor(await network.agentSigner(operator, siteId));
  terminal = await network.openTerminal(operator, siteId, {
    cabinet: ["M1", "M2", "M3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" })),
    client: breakable(agents),
    testClock: clock,
  });
  return async () => {
    clock.stop();
    await network.stop();
  };
});

/** The agent's calls, which fail while {@link isAgentOnline} is false. */
function breakable(agents: PetakClient["agents"]): Pick<PetakClient["agents"], "boot" | "sync" | "reportEvents"> {
  const call =
    <Args extends unknown[], Result>(method: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      isAgentOnline ? method(...args) : Promise.reject(new ConnectError("the network is down", Code.Unavailable));
  return { boot: call(agents.boot), sync: call(agents.sync), reportEvents: call(agents.reportEvents) };
}

/** Moves the gateway's clock and lets the follower read it. */
async function pass(ms: number): Promise<void> {
  await clockOf(network, network.admin).moveTestClock({ time: timestampFromMs(clock.now() + ms) });
  await clock.update();
}

/** Moves the clock to the next time at which the site's local clock shows an hour. */
async function passUntilLocal(hour: number): Promise<void> {
  const localMs = (clock.now() + singaporeAheadMs) % dayMs;
  await pass((hour * hourMs - localMs + dayMs) % dayMs);
}

async function confirmed(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

async function tokenFor(reservationId: string, act: Act): Promise<string> {
  return (await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
}

async function deposited(): Promise<string> {
  const reservationId = await confirmed();
  expect(await terminal.visit({ token: await tokenFor(reservationId, Act.DEPOSIT) })).toMatchObject({ opened: true });
  return reservationId;
}

async function isOpenNow(): Promise<boolean> {
  const requirements = { openAt: timestampFromMs(clock.now()) };
  return (await courier.client.directory.findNearest({ origin, parcel, requirements })).options.length > 0;
}

const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

describe("an agent that follows the gateway's test clock", () => {
  it("goes through a week in seconds, offline from the second day on", async () => {
    await passUntilLocal(12);
    const early = await deposited();
    const late = await deposited();
    const [earlyToken, lateToken] = [await tokenFor(early, Act.COLLECT), await tokenFor(late, Act.COLLECT)];
    await terminal.agent.syncNow();
    expect(await isOpenNow()).toBe(true);
    await passUntilLocal(21);
    expect(await isOpenNow()).toBe(false);
    await passUntilLocal(12);
    expect(await isOpenNow()).toBe(true);

    isAgentOnline = false;
    await pass(dayMs);
    const collectedAtMs = clock.now();
    const opened = await terminal.agent.present({ token: earlyToken });
    expect(opened).toMatchObject({ opened: true });
    if (opened.opened) terminal.useDoor(opened);
    // Before the trust bundle expires, a week after the last synchronisation.
    for (let day = 3; day <= 7; day += 1) await pass(dayMs - hourMs);
    const refusedAtMs = clock.now();
    expect(refusedAtMs).toBeGreaterThan(Date.now() + 6 * dayMs);
    expect(await terminal.agent.present({ token: lateToken })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });

    isAgentOnline = true;
    // The retry of the reports waits by the clock as well.
    await pass(2 * minuteMs);
    await terminal.agent.flushed();
    expect([await stateOf(early), await stateOf(late)]).toEqual([ReservationState.COLLECTED, ReservationState.DEPOSITED]);
    const { events } = await operator.client.custody.listEvents({});
    const last = (reservationId: string, type: EventType) =>
      events.findLast((event) => event.type === type && event.reservationId === reservationId);
    const collected = last(early, EventType.PARCEL_COLLECTED);
    expect(collected?.proof?.offline).toBe(true);
    expect(Math.abs(timestampMs(collected?.occurredAt ?? timestampFromMs(0)) - collectedAtMs)).toBeLessThan(minuteMs);
    const refused = last(late, EventType.DOOR_REFUSED);
    expect(refused?.proof).toMatchObject({ refusal: "EXPIRED", offline: true });
    expect(Math.abs(timestampMs(refused?.occurredAt ?? timestampFromMs(0)) - refusedAtMs)).toBeLessThan(minuteMs);
    expect(last(late, EventType.PARCEL_OVERDUE)).toBeDefined();
  });

  it("settles a door by the clock whose outcome the sensors do not show", async () => {
    const reservationId = await deposited();
    const token = await tokenFor(reservationId, Act.COLLECT);
    const opened = await terminal.agent.present({ token });
    expect(opened).toMatchObject({ opened: true });
    // The door is closed with the parcel inside.
    if (opened.opened) terminal.cabinet.closeDoor(opened.compartmentId);
    await terminal.agent.flushed();
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
    await pass(3 * minuteMs);
    await expect.poll(() => stateOf(reservationId)).toBe(ReservationState.IN_DOUBT);
  });

  it("cannot follow with a live key", async () => {
    const live = await network.join("Live courier", [Role.COURIER], Mode.LIVE);
    const refused = await followTestClock(clockOf(network, live)).catch((error: unknown) => reasonOf(error));
    expect(refused).toBe("MODE_MISMATCH");
  });
});
