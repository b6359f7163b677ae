import { randomUUID } from "node:crypto";
import type { Presentation } from "@petak/agent";
import { Act, CancellationReason, DoubtOutcome, EventType, ReservationState } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { hourMs, minuteMs, type OfflineNetwork, parcels, startOfflineNetwork } from "./offline-network.ts";
import type { RoughTerminal } from "./rough-terminal.ts";
import { useDisks } from "./use-disks.ts";

const S = ReservationState;
const redis = useRedis();
const disks = useDisks();
let around: OfflineNetwork;
let terminal: RoughTerminal;

beforeEach(async () => {
  around = await startOfflineNetwork(redis, { keyPrefix: redis.keyPrefix, sites: 1, disks });
  [terminal] = around.terminals as [RoughTerminal];
  return () => around.stop();
});

/** Reserves the one large place, to be deposited within an hour. Returns a token to deposit. */
async function reserve(): Promise<{ reservationId: string; token: string }> {
  const { reservations } = around.courier.client;
  const place = { case: "siteId", value: terminal.siteId } as const;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel: parcels.L });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: { seconds: 3600n } });
  return { reservationId, token: await tokenFor(reservationId, Act.DEPOSIT) };
}

async function tokenFor(reservationId: string, act: Act): Promise<string> {
  return (await around.courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
}

/** Shows a token, and puts the parcel in or takes it out. */
async function visit(token: string, act: Act = Act.DEPOSIT): Promise<Presentation | undefined> {
  const shown = await terminal.present({ token });
  if (shown?.opened) terminal.running.useDoor({ ...shown, act });
  return shown;
}

/** The link comes back, the gateway gets all reports, and the agent hears what has come of them. */
async function reconnect(): Promise<void> {
  const { agent } = terminal.running;
  terminal.isLinkCut = false;
  await agent.syncNow();
  await agent.flushed();
  await agent.syncNow();
}

const stateOf = async (reservationId: string) =>
  (await around.courier.client.reservations.getReservation({ reservationId })).reservation?.state;

/** Expects that a reservation was last told that it lacks a place, or that there is one again. */
async function expectTold(reservationId: string, lacksPlace: boolean): Promise<void> {
  const { custody } = around.courier.client;
  const told = async () => {
    const { events } = await custody.getCustodyChain({ reservationId });
    return events.findLast(({ type }) => type === EventType.RESERVATION_SITE_CHANGED)?.siteChange?.lacksPlace;
  };
  await expect.poll(told, { interval: 5 }).toBe(lacksPlace);
}

async function largePlaces() {
  const { availabilities } = await around.courier.client.directory.getAvailability({ siteIds: [terminal.siteId] });
  const found = availabilities[0]?.sizeClasses.find(({ sizeClassId }) => sizeClassId === "L");
  return { held: found?.held, occupied: found?.occupied, free: found?.freeToPromise };
}

const opened = { opened: true, compartmentId: "L1" };
const noPlace = { opened: false, refusal: "NO_PLACE_FREE" };

describe("two deposits for one place while the terminal is offline", () => {
  it("the first deposited in time: it keeps the place, and the second hears that it lacks one until there is one again", async () => {
    const first = await reserve();
    terminal.isLinkCut = true;
    expect(await visit(first.token)).toMatchObject(opened);
    await around.pass(hourMs + minuteMs);
    // The gateway has not heard of the parcel, so it gives the place away.
    expect(await stateOf(first.reservationId)).toBe(S.NO_SHOW);
    const second = await reserve();
    expect(await visit(second.token)).toEqual(noPlace);
    await reconnect();
    expect([await stateOf(first.reservationId), await stateOf(second.reservationId)]).toEqual([S.DEPOSITED, S.CONFIRMED]);
    expect(await largePlaces()).toEqual({ held: 1, occupied: 1, free: 0 });
    await around.pass(minuteMs);
    await expectTold(second.reservationId, true);

    expect(await visit(await tokenFor(first.reservationId, Act.COLLECT), Act.COLLECT)).toMatchObject(opened);
    await terminal.running.agent.flushed();
    await around.pass(2 * minuteMs);
    await expectTold(second.reservationId, false);
    // The refusal has spent nothing.
    expect(await visit(second.token)).toMatchObject(opened);
    await terminal.running.agent.flushed();
    expect([await stateOf(first.reservationId), await stateOf(second.reservationId)]).toEqual([S.COLLECTED, S.DEPOSITED]);
  });

  it("the second came first to the door: it has the place, and the first keeps its parcel", async () => {
    const first = await reserve();
    terminal.isLinkCut = true;
    await around.pass(hourMs + minuteMs);
    const second = await reserve();
    expect(await visit(second.token)).toMatchObject(opened);
    // By the clock its time is over, and by the cabinet there is no place.
    expect((await visit(first.token))?.opened).toBe(false);
    await reconnect();
    expect([await stateOf(first.reservationId), await stateOf(second.reservationId)]).toEqual([S.NO_SHOW, S.DEPOSITED]);
    expect(await largePlaces()).toEqual({ held: 0, occupied: 1, free: 0 });
  });

  it("a driver who had not heard that it was cancelled deposited: the place is occupied, and the operator says what becomes of the parcel", async () => {
    const first = await reserve();
    const collect = await tokenFor(first.reservationId, Act.COLLECT);
    terminal.isLinkCut = true;
    const { reservations } = around.courier.client;
    await reservations.cancel({ requestId: randomUUID(), reservationId: first.reservationId, reason: CancellationReason.OTHER });
    const second = await reserve();
    expect(await visit(first.token)).toMatchObject(opened);
    expect(await visit(second.token)).toEqual(noPlace);
    await reconnect();
    expect([await stateOf(first.reservationId), await stateOf(second.reservationId)]).toEqual([S.IN_DOUBT, S.CONFIRMED]);
    expect(await largePlaces()).toEqual({ held: 1, occupied: 1, free: 0 });
    await around.pass(minuteMs);
    await expectTold(second.reservationId, true);
    // Nobody gets it before the operator has said whose it is.
    expect((await visit(collect, Act.COLLECT))?.opened).toBe(false);

    const { operator, holder } = around;
    const where = { siteId: terminal.siteId, compartmentId: "L1" };
    const service = { requestId: randomUUID(), act: Act.SERVICE, ...where, holderPublicKey: holder.publicKey };
    const { accessToken } = await operator.client.reservations.issueCredential(service);
    const shown = await terminal.present(() => holder.show(terminal.running, accessToken, { compartmentId: "L1" }));
    expect(shown).toMatchObject(opened);
    terminal.cabinet.takeOut("L1");
    terminal.cabinet.closeDoor("L1");
    const found = { requestId: randomUUID(), reservationId: first.reservationId, outcome: DoubtOutcome.RECALLED };
    await operator.client.reservations.resolveDoubt(found);
    await around.pass(3 * minuteMs);
    await terminal.running.agent.flushed();
    await terminal.running.agent.markChecked("L1");
    expect(await visit(second.token)).toMatchObject(opened);
    await terminal.running.agent.flushed();
    expect([await stateOf(first.reservationId), await stateOf(second.reservationId)]).toEqual([S.RECALLED, S.DEPOSITED]);
    expect(await largePlaces()).toEqual({ held: 0, occupied: 1, free: 0 });
  });
});
