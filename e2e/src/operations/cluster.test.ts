import { randomUUID } from "node:crypto";
import { indexCellOf, type Position, regionOfCell } from "@petak/allocator";
import { keepSites } from "@petak/client";
import {
  Act,
  DeviceEventType,
  type Event,
  EventType,
  LiveReservations,
  ProofKind,
  parseSiteId,
  ReservationState,
  Role,
  reasonOf,
  type WatchEventsResponse,
} from "@petak/protocol";
import { makeSite, onThisMachine, startTestCluster, type TestCluster } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
/** A point where three regions meet, each on another of the three masters, in the north-east of Thailand. */
const corner: Position = { latitude: 17.38543191000541, longitude: 104.1474308745654 };
/** 60 m in degrees of latitude. */
const siteDistanceDeg = 60 / 111_195;

/** How soon a call must be answered when the store is unreachable: long before any timeout. */
const atOnceMs = 500;

let cluster: TestCluster;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
/** One site in each of three regions, all within a hundred metres of each other. */
let siteIds: string[];

beforeAll(async () => {
  cluster = await startTestCluster();
  // Errors are logged while a master is unreachable.
  network = await startTestNetwork({ redis: cluster, expectsErrors: true });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER], undefined, { retry: false });
  siteIds = await network.putSites(
    operator,
    ...placesAround(corner).map((place, index) => {
      const site = makeSite({ ...place, ref: `site-${index}`, classes: [["M", 400, 200, 500, 20_000, 2]] });
      if (site.address !== undefined) site.address.countryCode = "TH";
      return site;
    }),
  );
});
afterAll(async () => {
  await network.stop();
  await cluster.stop();
});

/** A place in each region near a point. */
function placesAround({ latitude, longitude }: Position): Position[] {
  const places = new Map<string, Position>();
  for (let bearing = 0; bearing < 2 * Math.PI; bearing += Math.PI / 6) {
    const place = { latitude: latitude + siteDistanceDeg * Math.cos(bearing), longitude: longitude + siteDistanceDeg * Math.sin(bearing) };
    const region = regionOfCell(indexCellOf(place));
    if (!places.has(region)) places.set(region, place);
  }
  return [...places.values()];
}

async function reserveNearest() {
  const { reservation } = await courier.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "nearest", value: { origin: corner } },
    parcel,
  });
  return { reservationId: reservation?.reservationId ?? "", siteId: reservation?.siteId ?? "" };
}

/** Reads a stream until an event of a type arrives. Returns the types of all events that arrived. */
async function watchUntil(stream: AsyncIterator<WatchEventsResponse>, last: EventType): Promise<EventType[]> {
  const types: EventType[] = [];
  while (!types.includes(last)) {
    const { value, done } = await stream.next();
    if (done === true) break;
    types.push(...(value as WatchEventsResponse).events.map(({ type }) => type));
  }
  return types;
}

describe("a gateway over a cluster", () => {
  it("finds sites across the borders of three regions on three masters", async () => {
    expect(new Set(siteIds.map((siteId) => parseSiteId(siteId)?.region)).size).toBe(3);
    const { options } = await courier.client.directory.findNearest({ origin: corner, parcel, limit: 3 });
    expect(options.map(({ site }) => site?.siteId).sort()).toEqual([...siteIds].sort());
    expect(options.every(({ distanceM }) => distanceM < 100)).toBe(true);
  });

  it("lists what has changed at sites of three regions", async () => {
    const copy = await keepSites(courier.client.directory);
    expect([...copy.sites.keys()].sort()).toEqual([...siteIds].sort());
    const more = await network.putSites(
      operator,
      ...placesAround(corner).map((place, index) => makeSite({ ...place, ref: `more-${index}` })),
    );
    await keepSites(courier.client.directory, copy);
    expect([...copy.sites.keys()].sort()).toEqual([...siteIds, ...more].sort());
    await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: more });
    await keepSites(courier.client.directory, copy);
    expect([...copy.sites.keys()].sort()).toEqual([...siteIds].sort());
  });

  it("takes a parcel from hold to collection, and its events are listed and watched", async () => {
    const leaving = new AbortController();
    const stream = courier.client.custody.watchEvents({ fromNow: true }, { signal: leaving.signal })[Symbol.asyncIterator]();
    await stream.next();
    const { reservationId, siteId } = await reserveNearest();
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    for (const act of [Act.DEPOSIT, Act.COLLECT]) {
      const request = { requestId: randomUUID(), reservationId, act, withPin: act === Act.COLLECT };
      const { accessToken } = await courier.client.reservations.issueCredential(request);
      expect(accessToken.length).toBeGreaterThan(0);
    }
    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    await agent.agents.boot({ siteId });
    expect((await agent.agents.sync({ siteId })).allowances.map(({ act }) => act)).toEqual([Act.DEPOSIT, Act.COLLECT]);
    const reports = [DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED].map((type) => ({
      type,
      reservationId,
      compartmentId: "A1",
      proofKind: ProofKind.ACCESS_TOKEN,
    }));
    await (await network.reporterAt(operator, siteId)).report(...reports);
    const expected = [
      EventType.RESERVATION_HELD,
      EventType.RESERVATION_CONFIRMED,
      EventType.CREDENTIAL_ISSUED,
      EventType.CREDENTIAL_ISSUED,
      EventType.PARCEL_DEPOSITED,
      EventType.PARCEL_COLLECTED,
    ];
    expect(await watchUntil(stream, EventType.PARCEL_COLLECTED)).toEqual(expected);
    leaving.abort();
    const { events } = await courier.client.custody.listEvents({});
    expect(events.map(({ type }) => type)).toEqual(expected);
    const { reservation } = await courier.client.custody.getCustodyChain({ reservationId });
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
  });

  it("cancels what sites of three regions had that are retired together, and tells whoever had it", async () => {
    const extra = placesAround(corner).map((place, index) => makeSite({ ...place, ref: `leaving-${index}` }));
    const leaving = await network.putSites(operator, ...extra);
    const before = await courier.client.custody.listEvents({ fromNow: true });
    for (const siteId of leaving) {
      await courier.client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
    }
    await operator.client.directory.retireSites({
      requestId: randomUUID(),
      siteIds: leaving,
      liveReservations: LiveReservations.CANCEL,
    });
    const cancelledSites = async () => {
      const { events } = await courier.client.custody.listEvents({ cursor: before.nextCursor });
      return events.flatMap(({ siteId, siteChange }) => (siteChange?.cancelled === true ? [siteId] : [])).sort();
    };
    await expect.poll(cancelledSites).toEqual([...leaving].sort());
  });

  it("answers STORE_UNAVAILABLE at once while masters are unreachable, and completes unfinished work when they are back", async () => {
    const held = await Promise.all(Array.from({ length: 3 }, reserveNearest));
    const confirmations = held.map(({ reservationId }) => ({ requestId: randomUUID(), reservationId }));
    const watched = await courier.client.custody.listEvents({ fromNow: true });
    const [killed] = cluster.nodes;
    await killed?.kill9();

    const confirmAll = async () =>
      await Promise.all(
        confirmations.map(async (request) => {
          const startMs = performance.now();
          const answer = await courier.client.reservations.confirm(request).catch((error: unknown) => error);
          return { reason: answer instanceof Error ? reasonOf(answer) : "CONFIRMED", tookMs: performance.now() - startMs };
        }),
      );
    // At first only one master's data are unreachable; soon the other masters notice, and reject writes too.
    const reasons = new Set<string | undefined>();
    await expect
      .poll(async () => {
        const answers = await confirmAll();
        for (const { reason, tookMs } of answers) {
          reasons.add(reason);
          expect(tookMs).toBeLessThan(onThisMachine(atOnceMs));
        }
        return answers.every(({ reason }) => reason === "STORE_UNAVAILABLE");
      })
      .toBe(true);
    expect([...reasons].every((reason) => reason === "STORE_UNAVAILABLE" || reason === "CONFIRMED")).toBe(true);
    expect((await fetch(`${network.baseUrl}/readyz`)).status).toBe(503);

    await killed?.restart();
    await expect.poll(async () => (await confirmAll()).every(({ reason }) => reason === "CONFIRMED")).toBe(true);
    await expect.poll(async () => (await fetch(`${network.baseUrl}/readyz`)).status).toBe(200);
    // A call that reads from several masters may use the outdated slot map for a while.
    const events: Event[] = [];
    const readEvents = async () => {
      const page = await courier.client.custody.listEvents({ cursor: watched.nextCursor });
      events.push(...page.events);
      return events.length;
    };
    await expect.poll(() => readEvents().catch(reasonOf)).toBe(held.length);
    expect(events.every(({ type }) => type === EventType.RESERVATION_CONFIRMED)).toBe(true);
    expect(events.map(({ reservationId }) => reservationId).sort()).toEqual(held.map(({ reservationId }) => reservationId).sort());

    const stream = courier.client.custody.watchEvents({ fromNow: true })[Symbol.asyncIterator]();
    await stream.next();
    await reserveNearest();
    expect(await watchUntil(stream, EventType.RESERVATION_HELD)).toEqual([EventType.RESERVATION_HELD]);
    await stream.return?.();
  });
});
