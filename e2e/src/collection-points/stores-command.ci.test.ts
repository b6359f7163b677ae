import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import { DeviceEventType, IntakeReason, Role, SiteKind } from "@petak/protocol";
import { createFrozenClock, makeSite, tempDir, useRedis } from "@petak/testkit";
import { keyFileOf, type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { allowKey } from "../testing/commanding.ts";

const redis = useRedis();
/** 18:05 of a Saturday in Singapore. */
const beganMs = Date.UTC(2026, 10, 28, 10, 5);
const clock = createFrozenClock(beganMs);
let network: TestNetwork;
let owner: TestParticipant;
let courier: TestParticipant;
let rival: TestParticipant;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now });
  owner = await network.join("Owner of two shops", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  rival = await network.join("Owner of another shop", [Role.OPERATOR]);
  await allowKey(owner);
  return () => network.stop();
});

let siteIds: string[];
let reporter: SiteReporter;

beforeEach(async () => {
  const facts = { latitude: 1.3, longitude: 103.8, kind: SiteKind.COLLECTION_POINT };
  const shops = ["Ampang", "Bukit"].map((name) => makeSite({ ...facts, ref: `${name} ${randomUUID()}` }, { name }));
  siteIds = await network.putSites(owner, ...shops);
  await network.putSite(owner, makeSite({ ...facts, kind: SiteKind.PARCEL_TERMINAL, ref: randomUUID() }, { name: "A terminal" }));
  await network.putSite(rival, makeSite({ ...facts, ref: randomUUID() }, { name: "Rival's shop" }));
  reporter = await network.reporterAt(owner, siteIds[0] ?? "");
});

/** Runs `petak stores` with somebody's key. */
async function stores(by: TestParticipant, ...argv: string[]) {
  const keyPath = join(await tempDir(), "key.json");
  await writeKeyFile(keyPath, keyFileOf(by));
  return await runPetak(["--url", network.baseUrl, "--key", keyPath, ...argv], { now: clock.now });
}

/** What it says of the two shops of the running test, by name. */
async function listed(...argv: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await stores(owner, "--json", "stores", "list", ...siteIds, ...argv);
  return (JSON.parse(stdout) as { stores: Record<string, unknown>[] }).stores;
}

async function confirmed(siteId = ""): Promise<string> {
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const { reservation } = await courier.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel,
  });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

it("shows an owner parcels, today's work, intake and device of each shop", async () => {
  const [ampang = ""] = siteIds;
  const [here, gone] = [await confirmed(ampang), await confirmed(ampang), await confirmed(ampang)];
  const inAndOut = [DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED];
  await reporter.report(
    { type: DeviceEventType.PARCEL_DEPOSITED, reservationId: here },
    ...inAndOut.map((type) => ({ type, reservationId: gone })),
    {
      type: DeviceEventType.SERVICE_CHANGED,
      intake: { paused: true, pausedUntil: timestampFromMs(clock.now() + 2 * 3_600_000), places: [] } as never,
      intakeReason: IntakeReason.CLERK,
    },
  );
  const none = { inside: 0, expected: 0, free: 4, overdue: 0, today: { in: 0, out: 0 }, month: { in: 0, out: 0 } };
  const device = { lastReportAt: new Date(clock.now()).toISOString(), condition: null };
  expect(await listed("--month")).toEqual([
    {
      ...{ siteId: ampang, name: "Ampang", takes: "no: paused to 20:05", openToday: "00:00-24:00", device },
      ...{ inside: 1, expected: 1, free: 2, overdue: 0, today: { in: 2, out: 1 }, month: { in: 2, out: 1 } },
    },
    { siteId: siteIds[1], name: "Bukit", takes: "yes", openToday: "00:00-24:00", device: { lastReportAt: null, condition: null }, ...none },
  ]);
  const { stdout } = await stores(owner, "stores", ...siteIds);
  expect(stdout).toMatch(/Ampang +no: paused to 20:05 +00:00-24:00 +1 +0 +1 +2 +2 in, 1 out +reported 11-28 18:05/);
  clock.advance(24 * 3_600_000);
  expect((await listed("--month"))[0]).toMatchObject({ takes: "yes", today: { in: 0, out: 0 }, month: { in: 2, out: 1 } });
});

it("closes all shops early today, and not on other days, until that is undone", async () => {
  const now = clock.now();
  expect((await stores(owner, "stores", "close-early", ...siteIds, "--at", "20:30")).stdout).toBe(
    "Ampang: 00:00-20:30\nBukit: 00:00-20:30\n",
  );
  expect((await listed()).map(({ openToday }) => openToday)).toEqual(["00:00-20:30", "00:00-20:30"]);
  const again = await stores(owner, "--json", "stores", "close-early", "--all");
  expect((JSON.parse(again.stdout) as { stores: object[] }).stores).toEqual(
    expect.arrayContaining(siteIds.map((siteId) => expect.objectContaining({ siteId, openToday: "00:00-18:05" }) as unknown)),
  );
  clock.advance(24 * 3_600_000);
  expect((await listed()).map(({ openToday }) => openToday)).toEqual(["00:00-24:00", "00:00-24:00"]);
  clock.advance(now - clock.now());
  await stores(owner, "stores", "close-early", ...siteIds, "--undo");
  expect((await listed()).map(({ openToday }) => openToday)).toEqual(["00:00-24:00", "00:00-24:00"]);
});

it("shows nothing to anybody else, and closes nobody else's shop", async () => {
  const [ampang = ""] = siteIds;
  expect((await stores(courier, "stores")).stdout).toBe("You have no collection points.\n");
  expect((await stores(rival, "stores")).stdout).not.toContain("Ampang");
  for (const by of [courier, rival]) {
    const { exitCode, stderr } = await stores(by, "stores", "close-early", ampang);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`"${ampang}" is no collection point of yours`)]);
  }
  expect((await stores(owner, "stores", "close-early")).exitCode).toBe(2);
  expect((await stores(owner, "stores", "close-early", ampang, "--at", "25:00")).exitCode).toBe(2);
});

it("asks a shop's device whether it is there", async () => {
  const [ampang = ""] = siteIds;
  const cabinet = [{ compartmentId: "M-1", sizeClassId: "M" }];
  await network.openTerminal(owner, ampang, { cabinet, watchesCommands: true });
  const { stdout } = await stores(owner, "--json", "stores", "list", ampang, "--ask");
  expect(JSON.parse(stdout)).toMatchObject({ stores: [{ name: "Ampang", device: { answers: true } }] });
});
