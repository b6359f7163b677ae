import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  DeviceEventType,
  type GetManifestRequestSchema,
  type ManifestSite,
  ManifestTask,
  Mode,
  Purpose,
  Role,
  reasonOf,
  type Site,
  SiteLifecycle,
} from "@petak/protocol";
import { createFrozenClock, createRandom, makeSite, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, expect, it } from "vitest";

const { BRING, COLLECT, TAKE_BACK } = ManifestTask;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const dayMs = 86_400_000;

const redis = useRedis();
const clock = createFrozenClock(Date.UTC(2026, 10, 28, 6));
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let rival: TestParticipant;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  rival = await network.join("Rival", [Role.COURIER]);
  return () => network.stop();
});

const makeSites = (count: number) =>
  network.putSites(
    operator,
    ...Array.from({ length: count }, (_, index) =>
      makeSite({ latitude: 1.3 + index / 100, longitude: 103.8, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, 40]] }),
    ),
  );

interface Made {
  by?: TestParticipant;
  purpose?: Purpose;
  reference?: string;
}

async function held(siteId: string, { by = courier, purpose = Purpose.DELIVERY, reference = "" }: Made = {}): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const asked = { requestId: randomUUID(), place, parcel, purpose, partnerReference: reference };
  const { reservation } = await by.client.reservations.reserve(asked);
  return reservation?.reservationId ?? "";
}

async function confirmed(siteId: string, made: Made = {}): Promise<string> {
  const reservationId = await held(siteId, made);
  await (made.by ?? courier).client.reservations.confirm({
    requestId: randomUUID(),
    reservationId,
    labelCodes: [`L-${made.reference ?? ""}`],
  });
  return reservationId;
}

async function deposited(siteId: string, made: Made = {}): Promise<string> {
  const reservationId = await confirmed(siteId, made);
  const reporter = await network.reporterAt(operator, siteId);
  await reporter.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, compartmentId: "A07" });
  return reservationId;
}

/** The whole manifest, read in pages of a size, with how many there were. */
async function manifest(siteIds: string[], pageSize = 0, more: Partial<MessageInitShape<typeof GetManifestRequestSchema>> = {}) {
  const pages: ManifestSite[][] = [];
  let cursor = "";
  do {
    const page = await courier.client.reservations.getManifest({ siteIds, pageSize, cursor, dueBefore: more.dueBefore });
    expect(page.sites.flatMap(({ entries }) => entries).length).toBeLessThanOrEqual(pageSize || 100);
    pages.push(page.sites);
    cursor = page.nextCursor;
  } while (cursor !== "");
  return { pages: pages.length, sites: pages.flat() };
}

const idsOf = (sites: readonly ManifestSite[]) =>
  sites.flatMap(({ entries }) => entries.map(({ task, reservationId }) => [task, reservationId]));

it("has what is to be brought, fetched and taken back, in the order of the route", async () => {
  const [first = "", second = "", empty = ""] = await makeSites(3);
  const brought = await confirmed(second, { reference: "order-1" });
  const fetched = await deposited(second, { purpose: Purpose.RETURN });
  const waiting = await deposited(first);
  await held(first);
  await confirmed(first, { by: rival });
  await confirmed(first, { purpose: Purpose.RETURN });
  const cancelled = await confirmed(second);
  await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: cancelled, reason: CancellationReason.OTHER });

  const { sites } = await manifest([second, empty, first]);
  expect(sites.map(({ siteId, name, entries }) => [siteId, name.startsWith("Test site"), entries.length])).toEqual([
    [second, true, 2],
    [empty, true, 0],
    [first, true, 0],
  ]);
  expect(idsOf(sites)).toEqual([
    [BRING, brought],
    [COLLECT, fetched],
  ]);
  expect(sites[0]?.entries).toMatchObject([
    { partnerReference: "order-1", labelCodes: ["L-order-1"], compartmentId: "", sizeClassId: "M", cannotBeKept: false },
    { compartmentId: "A07", purpose: Purpose.RETURN },
  ]);

  // What the consumer does not fetch in time is the courier's to take back.
  clock.advance(4 * dayMs);
  await expect.poll(async () => idsOf((await manifest([first])).sites), { timeout: 60_000 }).toEqual([[TAKE_BACK, waiting]]);
  expect(idsOf((await manifest([second])).sites)).toEqual([[COLLECT, fetched]]);
});

it("says what a changed site cannot keep, and leaves out what is due later", async () => {
  const [siteId = ""] = await makeSites(1);
  const soon = await confirmed(siteId);
  const { dueAt } = (await manifest([siteId])).sites[0]?.entries[0] ?? {};
  expect(dueAt).toEqual(timestampFromMs(clock.now() + dayMs));
  expect(idsOf((await manifest([siteId], 0, { dueBefore: timestampFromMs(clock.now() + dayMs) })).sites)).toEqual([]);
  expect(idsOf((await manifest([siteId], 0, { dueBefore: timestampFromMs(clock.now() + dayMs + 1) })).sites)).toEqual([[BRING, soon]]);
  const { site } = await operator.client.directory.getSite({ siteId });
  await operator.client.directory.upsertSites({
    requestId: randomUUID(),
    sites: [{ ...(site as Site), lifecycle: SiteLifecycle.MAINTENANCE }],
  });
  // Parties are told of changes when a minute has passed.
  clock.advance(2 * 60_000);
  const entries = async () =>
    (await manifest([siteId])).sites[0]?.entries.map(({ reservationId, cannotBeKept }) => [reservationId, cannotBeKept]);
  await expect.poll(entries, { timeout: 60_000 }).toEqual([[soon, true]]);
});

it("has each entry once in pages of any size", async () => {
  const random = createRandom(testSeed());
  const siteIds = await makeSites(3);
  const made = new Set<string>();
  for (let count = random.int(8, 14); count > 0; count -= 1) made.add(await confirmed(siteIds[random.int(0, 2)] ?? ""));
  const whole = await manifest(siteIds);
  expect(new Set(idsOf(whole.sites).map(([, id]) => id))).toEqual(made);
  for (const pageSize of [1, 2, random.int(3, 20)]) {
    const paged = await manifest(siteIds, pageSize);
    expect(idsOf(paged.sites)).toEqual(idsOf(whole.sites));
    expect(paged.pages).toBeGreaterThanOrEqual(Math.ceil(made.size / pageSize));
  }
});

it("refuses other networks' sites and other queries' cursors", async () => {
  const siteIds = await makeSites(2);
  await confirmed(siteIds[0] ?? "");
  await confirmed(siteIds[0] ?? "");
  const { getManifest } = courier.client.reservations;
  const { nextCursor } = await getManifest({ siteIds, pageSize: 1 });
  expect((await getManifest({ siteIds, pageSize: 5, cursor: nextCursor })).sites.length).toBe(2);
  const reason = (request: MessageInitShape<typeof GetManifestRequestSchema>) => getManifest(request).then(() => "none", reasonOf);
  expect(await reason({ siteIds: siteIds.toReversed(), cursor: nextCursor })).toBe("CURSOR_INVALID");
  expect(await reason({ siteIds, cursor: `${nextCursor}!` })).toBe("CURSOR_INVALID");
  expect(await reason({ siteIds, cursor: nextCursor.replace(/\.\d+\./, ".7.") })).toBe("CURSOR_INVALID");
  const live = await network.withMode(courier, Mode.LIVE);
  expect(await live.client.reservations.getManifest({ siteIds }).then(() => "none", reasonOf)).toBe("SITE_NOT_FOUND");
});
