import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  AvailabilityState,
  DeviceEventType,
  fromConnectError,
  PassedOverReason,
  ReportCapacityOutcome,
  Role,
  type SiteCapacitySchema,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const { RECORDED, OUTDATED } = ReportCapacityOutcome;

let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
/** The gateway's clock. It starts at the real time, by which callers sign. */
let clock: FrozenClock;
let siteId: string;

beforeEach(async () => {
  clock = createFrozenClock(Date.now());
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await addSite("first");
  return () => network.stop();
});

/** A site with four small places and two large ones. */
async function addSite(ref: string): Promise<string> {
  const site = makeSite({
    ...origin,
    ref,
    classes: [
      ["M", 400, 200, 500, 20_000, 4],
      ["L", 600, 600, 600, 20_000, 2],
    ],
  });
  return await network.putSite(operator, site);
}

type Report = MessageInitShape<typeof SiteCapacitySchema>;

/** A report in which everything is free except what is given of class M. */
function report(occupied: number, outOfService = 0, more: Report = {}): Report {
  const observedAt = timestampFromMs(clock.now());
  const sizeClasses = [
    { sizeClassId: "L", free: 2 },
    { sizeClassId: "M", free: 4 - occupied - outOfService, occupied, outOfService },
  ];
  return { siteId, observedAt, sizeClasses, ...more };
}

async function send(sites: Report[], requestId = randomUUID(), by = operator): Promise<ReportCapacityOutcome[]> {
  const { results } = await by.client.directory.reportCapacity({ requestId, sites });
  expect(results.map((result) => result.siteId)).toEqual(sites.map((site) => site.siteId));
  return results.map(({ outcome }) => outcome);
}

async function countsOfM(): Promise<Record<string, number> | undefined> {
  const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
  const { sizeClassId, $typeName, ...counts } = availabilities[0]?.sizeClasses[0] ?? {};
  expect(sizeClassId).toBe("M");
  return counts as Record<string, number>;
}

async function find(includeUnknown = false): Promise<{ siteId: string; freeToPromise: number; observedAtMs: number; ttlS: number }[]> {
  const { options } = await courier.client.directory.findNearest({ origin, parcel, includeUnknown });
  return options.map(({ site, freeToPromise, observedAt, ttl }) => ({
    siteId: site?.siteId ?? "",
    freeToPromise,
    observedAtMs: timestampMs(observedAt as Timestamp),
    ttlS: Number(ttl?.seconds),
  }));
}

/** Reserves at the site, or near it. Returns the site and size class, or the error's reason. */
async function reserve(place: "named" | "nearest", includeUnknown = false): Promise<string> {
  const target = place === "named" ? ({ case: "siteId", value: siteId } as const) : ({ case: "nearest", value: { origin } } as const);
  try {
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place: target, parcel, includeUnknown });
    return reservation?.sizeClassId ?? "";
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  const failure = error instanceof ConnectError ? fromConnectError(error) : undefined;
  if (failure === undefined) throw error;
  return [failure.reason, ...failure.fieldViolations.map(({ field }) => field)].join(" ");
}

describe("a capacity report", () => {
  it("is reconciled with what this network holds and has deposited", async () => {
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel,
    });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const agent = await network.reporterAt(operator, siteId);
    const happened = async (type: DeviceEventType) => {
      clock.advance(1000);
      await agent.report({ type, reservationId, compartmentId: "A1" });
      clock.advance(1000);
    };
    // Two places are occupied by others, one is out of service, and the last is held.
    clock.advance(1000);
    const early = report(1);
    clock.advance(1000);
    expect(await send([report(2, 1)])).toEqual([RECORDED]);
    const common = { installed: 4, inService: 3 };
    expect(await countsOfM()).toEqual({ ...common, occupied: 0, held: 1, occupiedByOthers: 2, freeToPromise: 0 });
    await happened(DeviceEventType.PARCEL_DEPOSITED);
    expect(await countsOfM()).toEqual({ ...common, occupied: 1, held: 0, occupiedByOthers: 2, freeToPromise: 0 });
    // Now the site counts three occupied places, one of which the gateway knows.
    expect(await send([report(3, 1)])).toEqual([RECORDED]);
    expect(await countsOfM()).toEqual({ ...common, occupied: 1, held: 0, occupiedByOthers: 2, freeToPromise: 0 });
    await happened(DeviceEventType.PARCEL_COLLECTED);
    expect(await countsOfM()).toEqual({ ...common, occupied: 0, held: 0, occupiedByOthers: 2, freeToPromise: 1 });
    expect(await send([early])).toEqual([OUTDATED]);
    expect(await send([report(0)])).toEqual([RECORDED]);
    expect(await countsOfM()).toEqual({ installed: 4, inService: 4, occupied: 0, held: 0, occupiedByOthers: 0, freeToPromise: 4 });
  });

  it("is not rejected because of a device whose clock is ahead", async () => {
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel,
    });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const agent = await network.reporterAt(operator, siteId);
    const occurredAt = timestampFromMs(clock.now() + 3_600_000);
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, occurredAt, reservationId, compartmentId: "A1" });
    expect(await send([report(1)])).toEqual([OUTDATED]);
    clock.advance(1);
    expect(await send([report(1)])).toEqual([RECORDED]);
    expect(await countsOfM()).toMatchObject({ occupied: 1, occupiedByOthers: 0, freeToPromise: 3 });
  });

  it("replaces the gateway's own counts, which apply again when reporting ends", async () => {
    expect(await find()).toEqual([{ siteId, freeToPromise: 4, observedAtMs: clock.now(), ttlS: 60 }]);
    const observedAtMs = Math.floor(clock.now() / 1000) * 1000;
    await send([report(4)]);
    const large = [{ siteId, freeToPromise: 2, observedAtMs, ttlS: 300 }];
    expect([await find(), await reserve("named"), await reserve("nearest"), await reserve("named")]).toEqual([
      large,
      "L",
      "L",
      "NO_PLACE_FREE",
    ]);
    clock.advance(1);
    expect(await send([{ siteId, observedAt: timestampFromMs(clock.now()), reportingEnded: true }])).toEqual([RECORDED]);
    expect(await find()).toEqual([{ siteId, freeToPromise: 4, observedAtMs: clock.now(), ttlS: 60 }]);
  });

  it("makes the site unknown once its ttl has passed; unknown sites are offered only on request", async () => {
    const observedAtMs = Math.floor(clock.now() / 1000) * 1000;
    clock.set(observedAtMs);
    await send([report(1, 0, { ttl: { seconds: 10n } })]);
    const stateOf = async () => {
      const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
      const { state, observedAt, ttl } = availabilities[0] ?? {};
      return [state, timestampMs(observedAt as Timestamp), ttl?.seconds];
    };
    const option = { siteId, freeToPromise: 3, observedAtMs, ttlS: 10 };
    clock.advance(9_999);
    expect([await find(), await stateOf()]).toEqual([[option], [AvailabilityState.KNOWN, observedAtMs, 10n]]);
    clock.advance(1);
    expect([await find(), await stateOf()]).toEqual([[], [AvailabilityState.UNKNOWN, observedAtMs, 10n]]);
    expect([await reserve("named"), await reserve("nearest")]).toEqual(["AVAILABILITY_UNKNOWN", "NO_PLACE_FREE"]);
    const { passedOver } = await courier.client.directory.findNearest({ origin, parcel, countPassedOver: true });
    expect(passedOver?.counts).toMatchObject([{ reason: PassedOverReason.UNKNOWN_AVAILABILITY, sites: 1 }]);
    expect([await find(true), await reserve("named", true), await reserve("nearest", true)]).toEqual([[option], "M", "M"]);
    await send([report(1)]);
    expect([(await find())[0]?.freeToPromise, await reserve("named")]).toEqual([1, "M"]);
  });

  it("of many sites is judged site by site, and a repeated request gets the same response", async () => {
    const second = await addSite("second");
    await send([report(1)]);
    const ttl = { seconds: 10n };
    const [late, fresh] = [report(2, 0, { ttl }), report(2, 0, { ttl, siteId: second })];
    const requestId = randomUUID();
    expect(await send([late, fresh], requestId)).toEqual([OUTDATED, RECORDED]);
    clock.advance(1);
    await send([report(3, 0, { siteId: second })]);
    clock.advance(10_000);
    expect(await send([late, fresh], requestId)).toEqual([OUTDATED, RECORDED]);
    expect(await send([late, fresh])).toEqual([OUTDATED, OUTDATED]);
  });

  const wrong: [what: string, field: string, make: () => Report][] = [
    [
      "numbers that do not add up",
      "sites[0].size_classes[1]",
      () => report(2, 0, { sizeClasses: [{ sizeClassId: "L", free: 2 }, { sizeClassId: "M" }] }),
    ],
    ["a size class missing", "sites[0].size_classes", () => report(0, 0, { sizeClasses: [{ sizeClassId: "M", free: 4 }] })],
    [
      "a size class twice",
      "sites[0].size_classes[1].size_class_id",
      () => report(0, 0, { sizeClasses: Array(2).fill({ sizeClassId: "M", free: 4 }) }),
    ],
    [
      "a size class of another site",
      "sites[0].size_classes[0].size_class_id",
      () => report(0, 0, { sizeClasses: [{ sizeClassId: "XL" }] }),
    ],
    ["no size classes", "sites[0]", () => report(0, 0, { sizeClasses: [] })],
    ["size classes in a report that ends the reporting", "sites[0]", () => report(0, 0, { reportingEnded: true })],
    ["a time to come", "sites[0].observed_at", () => report(0, 0, { observedAt: timestampFromMs(clock.now() + 30_001) })],
    ["a time to live of more than five minutes", "sites[0].ttl", () => report(0, 0, { ttl: { seconds: 300n, nanos: 1 } })],
    ["a time to live of less than ten seconds", "sites[0].ttl", () => report(0, 0, { ttl: { seconds: 9n, nanos: 999_999_999 } })],
  ];
  it.each(wrong)("with %s is refused, names %s, and changes nothing at any site", async (_what, field, make) => {
    const second = await addSite("second");
    const sites = [make(), report(4, 0, { siteId: second })];
    await expect(send(sites).catch(reasonOf)).resolves.toBe(`INVALID_FIELD ${field}`);
    expect((await find()).map(({ ttlS }) => ttlS)).toEqual([60, 60]);
  });

  it("with one site twice is refused, and one from half a minute ahead is accepted", async () => {
    await expect(send([report(0), report(1)]).catch(reasonOf)).resolves.toBe("INVALID_FIELD sites[1].site_id");
    expect(await send([report(0, 0, { observedAt: timestampFromMs(clock.now() + 30_000) })])).toEqual([RECORDED]);
  });

  it("of another operator's site is refused as a whole", async () => {
    const rival = await network.join("Rival", [Role.OPERATOR]);
    await expect(send([report(4)], randomUUID(), rival).catch(reasonOf)).resolves.toBe("SITE_NOT_FOUND");
    expect((await find()).map(({ ttlS }) => ttlS)).toEqual([60]);
  });
});
