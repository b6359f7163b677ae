import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { createSimulatedCabinet } from "@petak/agent/simulation";
import { keepSites } from "@petak/client";
import {
  CancellationReason,
  GetCustodyChainResponseSchema,
  OverflowFallback,
  ReservationSchema,
  ReservationState,
  ReserveResponseSchema,
} from "@petak/protocol";
import { createFrozenClock } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { keptData, type ReservationName } from "./kept-data.ts";
import { callersOf, type LoadedData, loadKeptData } from "./over-kept-data.ts";

const kept = [await keptData(2), await keptData(3)] as const;
const { CANCELLED, COLLECTED, CONFIRMED, DEPOSITED, HELD, REJECTED } = ReservationState;
function read<Desc extends DescMessage>(schema: Desc, base64: string | undefined): MessageShape<Desc> {
  return fromBinary(schema, Buffer.from(base64 ?? "", "base64"));
}

describe.each([
  ["2", kept[0]],
  ["3", kept[1]],
])("a gateway over the data of an earlier commit, of version %s", (_version, earlier) => {
  const { facts } = earlier;
  let data: LoadedData;

  beforeEach(async () => {
    data = await loadKeptData(earlier);
  });

  it("returns every reservation unchanged, from Redis and from the archive", async () => {
    const { find } = callersOf(facts, await data.start());
    for (const [name, { reservation }] of Object.entries(facts.reservations)) {
      const before = read(ReservationSchema, reservation);
      // That commit left the position of the first in the queue out.
      const first = before.state === ReservationState.QUEUED && before.queuePosition === undefined ? { queuePosition: 0 } : {};
      expect(await find(name as ReservationName), name).toEqual({ ...before, ...first });
    }
    expect(await find("rejected")).toMatchObject({
      state: REJECTED,
      overflowPolicy: { fallback: OverflowFallback.ASK_CONSUMER },
      overflowFallback: OverflowFallback.ASK_CONSUMER,
    });
  });

  it("returns the chains and the feed unchanged, with the same numbers, and continues from an earlier cursor", async () => {
    const { courier } = callersOf(facts, await data.start());
    for (const [name, { reservationId, chain }] of Object.entries(facts.reservations)) {
      if (chain === undefined) continue;
      const { events, receipts } = read(GetCustodyChainResponseSchema, chain);
      expect(await courier.custody.getCustodyChain({ reservationId }), name).toMatchObject({ events, receipts });
    }
    const { events } = await courier.custody.listEvents({ pageSize: 1000 });
    expect(events.map(({ eventId }) => eventId)).toEqual(facts.feed.eventIds);
    const after = await courier.custody.listEvents({ cursor: facts.feed.cursor, pageSize: 1000 });
    expect(after.events).toEqual(events.slice(5));
    expect(events.map(({ feedNumber }) => Number(feedNumber))).toEqual(events.map((_, index) => index + 1));
  });

  it("lists every site", async () => {
    const { courier } = callersOf(facts, await data.start());
    const { sites } = await keepSites(courier.directory);
    expect([...sites.keys()].sort()).toEqual(Object.values(facts.sites).sort());
  });

  it("gives a repeated request of that commit its earlier response", async () => {
    const { courier } = callersOf(facts, await data.start());
    const { requestId, siteId, partnerReference } = facts.repeated.request;
    const response = await courier.reservations.reserve({
      requestId,
      place: { case: "siteId", value: siteId },
      parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
      partnerReference,
    });
    const before = read(ReserveResponseSchema, facts.repeated.response);
    // What is stored is the reservation; what is said of its site is of today.
    expect(response).toEqual({ ...before, site: before.site && { ...before.site, operatorName: "operator" } });
  });

  it("confirms and cancels the reservations, and promotes waiting ones", async () => {
    const { courier, find } = callersOf(facts, await data.start());
    const { held, hard } = facts.reservations;
    await courier.reservations.confirm({ requestId: randomUUID(), reservationId: held.reservationId });
    await courier.reservations.cancel({ requestId: randomUUID(), reservationId: hard.reservationId, reason: CancellationReason.OTHER });
    expect([(await find("held")).state, (await find("hard")).state]).toEqual([CONFIRMED, CANCELLED]);
    expect((await find("queued")).queuedSiteIds).toEqual([facts.sites.full]);
    const { reservations: atFull } = await courier.reservations.listReservations({ siteId: facts.sites.full, states: [CONFIRMED] });
    expect(atFull).toHaveLength(1);
    const reservationId = atFull[0]?.reservationId ?? "";
    await courier.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    expect(await find("queued")).toMatchObject({ state: HELD, siteId: facts.sites.full });
    const { events } = await courier.custody.getCustodyChain({ reservationId: held.reservationId });
    expect(events.at(-1)?.stateAfter).toBe(CONFIRMED);
  });

  it("accepts reports of an agent over its earlier database, which opens its doors for earlier tokens", async () => {
    const { now, advance } = createFrozenClock(facts.atMs);
    const network = await data.start({ now });
    const { agent, courier, find } = callersOf(facts, network, now);
    const cabinet = createSimulatedCabinet({
      compartments: ["A1", "A2", "A3", "A4", "A5", "A6"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" })),
      occupied: facts.occupied,
    });
    const { key_id: keyId, private_jwk: privateJwk } = facts.keys.agent;
    const operator = { participantId: facts.keys.operator.participant_id } as never;
    const terminal = await network.openTerminal(operator, facts.sites.terminal, {
      client: agent.agents,
      reportKey: { keyId, privateJwk },
      storePath: join(data.directory, "agent.db"),
      cabinet,
    });
    await terminal.agent.flushed();
    const { reservation: unreported } = await courier.reservations.getReservation(facts.unreported);
    expect(unreported?.state).toBe(DEPOSITED);
    advance(1000);
    expect(await terminal.visit({ token: facts.credentials.deposit })).toMatchObject({ opened: true });
    expect(await terminal.visit({ token: facts.credentials.collect })).toMatchObject({ opened: true });
    expect(await terminal.visit({ token: facts.credentials.collect })).toMatchObject({ opened: false });
    expect([(await find("confirmed")).state, (await find("deposited")).state]).toEqual([DEPOSITED, COLLECTED]);
  });

  it("has the bundle, the sites and the webhook endpoint", async () => {
    const { courier, operator } = callersOf(facts, await data.start());
    const { bundleId, endpointId, sites } = facts;
    expect((await courier.reservations.getBundle({ bundleId })).reservations.map(({ state }) => state)).toEqual([CONFIRMED, CONFIRMED]);
    expect((await courier.webhooks.listEndpoints({})).endpoints).toMatchObject([{ endpointId, url: "https://hooks.invalid/petak" }]);
    for (const siteId of Object.values(sites)) {
      expect((await operator.directory.getSite({ siteId })).site?.siteId).toBe(siteId);
    }
    const parcel = { widthMm: 200, heightMm: 100, depthMm: 300, massG: 500 };
    const { options } = await courier.directory.findNearest({ origin: { latitude: 1.3, longitude: 103.8 }, parcel });
    expect(options.map(({ site }) => site?.siteId)).toEqual([sites.terminal, sites.store]);
  });
});
