import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { Act, CommandType, EventType, IntakeReason, PassedOverReason, Role, reasonOf, type Site } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allowKey, ended, sendCommand } from "../testing/commanding.ts";
import { origin, parcel } from "../testing/world.ts";

const redis = useRedis();
const cabinet = ["M-1", "M-2", "M-3", "M-4", "M-5"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));

let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let clock: FrozenClock;
let facts: Site;
let siteId: string;
let terminal: SimulatedTerminal;
/** What the terminal runs later. */
let later: { atMs: number; run: () => void }[];

beforeAll(async () => {
  clock = createFrozenClock(Date.now());
  network = await startTestNetwork({ redis, now: clock.now, agentSyncIntervalMs: 3_600_000 });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  await allowKey(operator);
  return () => network.stop();
});
beforeEach(async () => {
  later = [];
  facts = makeSite({ ...origin, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, 5]] });
  siteId = await network.putSite(operator, facts);
  terminal = await openTerminal();
  return () => terminal.stop();
});

function openTerminal(): Promise<SimulatedTerminal> {
  const after = (delayMs: number, run: () => void) => {
    const timer = { atMs: clock.now() + delayMs, run };
    later.push(timer);
    return () => void later.splice(later.indexOf(timer), later.includes(timer) ? 1 : 0);
  };
  return network.openTerminal(operator, siteId, { cabinet, after });
}

/** Lets time pass, at the gateway and at the terminal. */
function pass(ms: number): void {
  clock.advance(ms);
  for (const timer of later.filter(({ atMs }) => atMs <= clock.now())) {
    later.splice(later.indexOf(timer), 1);
    timer.run();
  }
}

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

async function reserve(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  return reservation?.reservationId ?? "";
}

async function confirmed(): Promise<{ reservationId: string; token: string }> {
  const reservationId = await reserve();
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  return { reservationId, token: accessToken };
}

/** The places of M: in service, and free to promise; and whether the site takes new reservations. */
async function offered() {
  const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
  const { acceptingDeposits, sizeClasses } = availabilities[0] ?? { acceptingDeposits: false, sizeClasses: [] };
  return [sizeClasses[0]?.inService, sizeClasses[0]?.freeToPromise, acceptingDeposits];
}

/** Whether the site is among those that are near. */
const found = async () =>
  (await courier.client.directory.findNearest({ origin, parcel, limit: 20 })).options.some(({ site }) => site?.siteId === siteId);

async function obey(type: CommandType, compartmentId = ""): Promise<void> {
  clock.advance(60_000);
  const { commandId } = await sendCommand(operator, { siteId, type, compartmentId, atMs: clock.now() });
  await terminal.agent.syncNow();
  await ended(operator, commandId);
}

async function told(type: EventType, by = operator) {
  const { events } = await by.client.custody.listEvents({ pageSize: 1000 });
  return events.filter((event) => event.type === type && event.siteId === siteId);
}

const want = async (inService: number | undefined, pausedUntilMs?: number | "open") => {
  const paused = pausedUntilMs === undefined ? { paused: false } : { paused: true, ...(pausedUntilMs !== "open" && { pausedUntilMs }) };
  await terminal.agent.setIntake({ ...paused, inService: new Map(inService === undefined ? [] : [["M", inService]]) });
  await terminal.agent.flushed();
};

describe("a compartment that a command takes out of service", () => {
  it("is not offered until it is back, and the operator hears why", async () => {
    expect(await offered()).toEqual([5, 5, true]);
    await obey(CommandType.TAKE_OUT_OF_SERVICE, "M-1");
    expect(await offered()).toEqual([4, 4, true]);
    await obey(CommandType.PUT_INTO_SERVICE, "M-1");
    expect(await offered()).toEqual([5, 5, true]);
    const [out, back, ...others] = await told(EventType.SITE_SERVICE_CHANGED);
    expect(out).toMatchObject({ siteId, intakeReason: IntakeReason.COMMAND, intake: { places: [{ sizeClassId: "M", inService: 4 }] } });
    expect(back).toMatchObject({ siteId, intakeReason: IntakeReason.UNSPECIFIED, intake: { paused: false, places: [] } });
    expect(others).toEqual([]);
  });

  it("counts as long as there is a parcel in it, which can be collected", async () => {
    const { reservationId, token } = await confirmed();
    const shown = await terminal.visit({ token });
    await obey(CommandType.TAKE_OUT_OF_SERVICE, shown.opened ? shown.compartmentId : "");
    expect(await offered()).toEqual([5, 4, true]);
    const { accessToken } = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
    expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
    expect(await offered()).toEqual([4, 4, true]);
  });
});

it("a whole site that a command takes out of service takes no new reservations, and those that it has hear that they cannot be kept", async () => {
  const { token } = await confirmed();
  await obey(CommandType.TAKE_OUT_OF_SERVICE);
  expect(await offered()).toEqual([0, 0, false]);
  expect([await reason(reserve()), await found()]).toEqual(["SITE_INTAKE_PAUSED", false]);
  await expect.poll(async () => (await told(EventType.RESERVATION_SITE_CHANGED, courier)).length).toBe(1);
  const [event] = await told(EventType.RESERVATION_SITE_CHANGED, courier);
  expect(event?.siteChange).toMatchObject({ canBeKept: false, lacksPlace: true });
  await obey(CommandType.PUT_INTO_SERVICE);
  expect([await offered(), await found()]).toEqual([[5, 4, true], true]);
  expect(await terminal.visit({ token })).toMatchObject({ opened: true });
});

it("a lock that fails is out of service until it opens again", async () => {
  const { token } = await confirmed();
  terminal.cabinet.setJammed("M-1", true);
  await terminal.visit({ token });
  await terminal.agent.flushed();
  expect(await offered()).toEqual([4, 3, true]);
  const [event] = await told(EventType.SITE_SERVICE_CHANGED);
  expect(event?.intakeReason).toBe(IntakeReason.LOCK_FAILED);
  terminal.cabinet.setJammed("M-1", false);
  await obey(CommandType.OPEN_FOR_SERVICE, "M-1");
  await terminal.agent.flushed();
  expect(await offered()).toEqual([5, 4, true]);
});

describe("what a site's people say", () => {
  it("limits a size class: of three places that are left, the fourth reservation is refused at once", async () => {
    await want(3);
    for (let number = 0; number < 3; number++) await reserve();
    expect(await reason(reserve())).toBe("NO_PLACE_FREE");
    await want(undefined);
    expect(await reason(reserve())).toBe("accepted");
  });

  it("pauses the intake until a time: no new reservation, deposits and collections as before, and the end comes by itself on both sides", async () => {
    const { token } = await confirmed();
    const held = await reserve();
    const untilMs = clock.now() + 3_600_000;
    await want(undefined, untilMs);
    const refusal = await courier.client.reservations
      .reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel })
      .catch((error: Error) => error.message);
    expect(refusal).toContain(`until ${new Date(untilMs).toISOString()}`);
    expect([await reason(reserve()), await found(), await offered()]).toEqual(["SITE_INTAKE_PAUSED", false, [5, 3, false]]);
    const { fits } = await courier.client.directory.checkFit({ siteIds: [siteId], parcel });
    expect(fits).toMatchObject([{ fits: false, reason: PassedOverReason.INTAKE_PAUSED, choice: "" }]);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId: held });
    expect(await terminal.visit({ token })).toMatchObject({ opened: true });
    expect(await told(EventType.RESERVATION_SITE_CHANGED, courier)).toEqual([]);
    clock.advance(3_599_999);
    expect(await reason(reserve())).toBe("SITE_INTAKE_PAUSED");
    // The gateway ends it, whether or not the site is on line.
    clock.advance(1);
    await expect.poll(found).toBe(true);
    expect(await reason(reserve())).toBe("accepted");
    expect(terminal.agent.intake().paused).toBe(false);
    pass(0);
    await terminal.agent.flushed();
    expect((await told(EventType.SITE_SERVICE_CHANGED)).map(({ intake }) => intake?.paused)).toEqual([true, false]);
  });

  it("stays over a restart and an upsert, and a new store of the device does not keep it", async () => {
    await want(4, "open");
    await terminal.restart();
    const changed = { ...facts, name: "Another name" };
    await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [changed] });
    expect(await offered()).toEqual([4, 4, false]);
    const { site } = await courier.client.directory.getSite({ siteId });
    expect(site).toMatchObject({ name: "Another name", intake: { paused: true, places: [{ sizeClassId: "M", inService: 4 }] } });
    await terminal.stop();
    terminal = await openTerminal();
    await terminal.agent.flushed();
    expect(await offered()).toEqual([5, 5, true]);
  });

  it("and what the operator reports are combined to the lesser, whichever comes first", async () => {
    const report = async (outOfService: number) => {
      clock.advance(1000);
      const sizeClasses = [{ sizeClassId: "M", free: 5 - outOfService, outOfService }];
      const sites = [{ siteId, observedAt: timestampFromMs(clock.now()), sizeClasses }];
      await operator.client.directory.reportCapacity({ requestId: randomUUID(), sites });
    };
    await want(4);
    await report(3);
    expect(await offered()).toEqual([2, 2, true]);
    await want(1);
    expect(await offered()).toEqual([1, 1, true]);
    await report(0);
    expect(await offered()).toEqual([1, 1, true]);
    await want(undefined);
    expect(await offered()).toEqual([5, 5, true]);
    await report(2);
    await want(3);
    await want(undefined);
    expect(await offered()).toEqual([3, 3, true]);
  });

  it("is refused in one sentence if it cannot be", async () => {
    const set = (classId: string, count: number) => terminal.agent.setIntake({ paused: false, inService: new Map([[classId, count]]) });
    await expect(set("M", 1001)).rejects.toThrow("1001 places of size class M cannot be in service: give a whole number from 0 to 1000");
    await expect(set("XXL", 1)).rejects.toThrow("the site has no size class XXL: it has M");
    expect(terminal.agent.intake().inService.size).toBe(0);
  });
});
