import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  CancellationReason,
  fromConnectError,
  LimitKind,
  Mode,
  OpeningHoursSchema,
  PublishableKeySchema,
  parseSiteId,
  ReservationState,
  Role,
  SiteLifecycle,
} from "@petak/protocol";
import { createParticipantStore, toldEveryMs } from "@petak/records";
import { createKeys } from "@petak/redis";
import { createFrozenClock, makeSite, type SiteFacts, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetworkOptions } from "@petak/testkit/network";
import { expect, it, onTestFinished } from "vitest";

const redis = useRedis();

async function start(quotas: TestNetworkOptions["quotas"] = {}) {
  const network = await startTestNetwork({ redis, quotas });
  onTestFinished(() => network.stop());
  return network;
}

/** The error of a call that is refused. */
const failureOf = (call: Promise<unknown>) => call.then(() => undefined, fromConnectError);

it("lists 850 publishable keys that take more bytes than one answer may have", async () => {
  const network = await start();
  const platform = await network.join("Checkouts", [Role.MERCHANT]);
  const { participantId } = platform;
  const connection = await redis.connect();
  onTestFinished(() => connection.disconnect());
  const store = createParticipantStore(connection, createKeys(network.shared.keyPrefix));
  const origins = Array.from({ length: 20 }, (_, index) => `https://${String(index).padStart(240, "a")}.example`);
  const made = Array.from({ length: 850 }, (_, number) =>
    create(PublishableKeySchema, {
      publishableKey: `pk_test_${String(number).padStart(24, "0")}`,
      participantId,
      mode: Mode.TEST,
      origins,
      createdAt: timestampFromMs(number),
    }),
  );
  await Promise.all(made.map((key) => store.addPublishableKey(key)));
  const listed: string[] = [];
  let cursor = "";
  do {
    const page = await platform.client.participants.listKeys({ cursor, pageSize: 500 });
    listed.push(...page.publishableKeys.map(({ publishableKey }) => publishableKey));
    cursor = page.nextCursor;
  } while (cursor !== "");
  expect(listed).toEqual(made.map(({ publishableKey }) => publishableKey).reverse());
  expect((await platform.client.participants.listKeys({})).keys).toHaveLength(1);
  const { nextCursor } = await platform.client.participants.listKeys({});
  expect(await failureOf(network.admin.client.participants.listKeys({ cursor: nextCursor }))).toMatchObject({ reason: "CURSOR_INVALID" });
});

it("lists participants in pages, each once", async () => {
  const network = await start();
  for (const name of ["a", "b", "c", "d"]) await network.join(name, [Role.MERCHANT]);
  const { participants } = network.admin.client;
  const all = (await participants.listParticipants({})).participants.map(({ participantId }) => participantId);
  const first = await participants.listParticipants({ pageSize: 3 });
  const second = await participants.listParticipants({ pageSize: 3, cursor: first.nextCursor });
  expect([...first.participants, ...second.participants].map(({ participantId }) => participantId)).toEqual(all);
  expect([all.length, second.nextCursor]).toEqual([5, ""]);
});

it("keeps an operator's sites within the limit, over two gateways and by network, and lets it change those that it has", async () => {
  const network = await start({ sitesMax: 6 });
  const twin = await startTestNetwork({ ...network.shared, redis: { address: redis.address }, quotas: { sitesMax: 6 } });
  onTestFinished(() => twin.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const there = twin.clientFor(operator.signer);
  const site = (number: number) => makeSite({ ref: `S${number}`, latitude: 1.3, longitude: 103.8 + number / 1000 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, number) =>
      (number % 2 ? there : operator.client).directory.upsertSites({ requestId: randomUUID(), sites: [site(number)] }),
    ),
  );
  const made = outcomes.flatMap(({ status }, number) => (status === "fulfilled" ? [number] : []));
  expect(made).toHaveLength(6);
  const full = { reason: "QUOTA_EXHAUSTED", metadata: { quota: "sitesMax", limit: "6", used: "6", subject: operator.participantId } };
  for (const outcome of outcomes) if (outcome.status === "rejected") expect(fromConnectError(outcome.reason as never)).toMatchObject(full);
  const beyond = { requestId: randomUUID(), sites: [site(99)], validateOnly: true };
  expect(await failureOf(operator.client.directory.upsertSites(beyond))).toMatchObject(full);
  const changed = { ...site(made[0] ?? 0), displayName: "Another name" };
  await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [changed] });
  const live = await network.withMode(operator, Mode.LIVE);
  await live.client.directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site(50), operatorSiteRef: "L", isTest: false }] });
});

it("counts a site for half a year after its retirement, so that whoever replaces lockers for years is not locked out", async () => {
  const clock = createFrozenClock();
  const network = await startTestNetwork({ redis, quotas: { sitesMax: 1 }, now: clock.now, sweepIntervalMs: 50 });
  onTestFinished(() => network.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const put = (ref: string) => network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, ref }));
  const siteId = await put("old");
  await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [siteId] });
  const full = { reason: "QUOTA_EXHAUSTED", metadata: { quota: "sitesMax" } };
  expect(await failureOf(put("new"))).toMatchObject(full);
  clock.advance(180 * 86_400_000);
  await expect.poll(async () => await failureOf(put("new"))).toBeUndefined();
  expect(await failureOf(operator.client.directory.getSite({ siteId }))).toMatchObject({ reason: "SITE_NOT_FOUND" });
  expect(await failureOf(put("old"))).toMatchObject(full);
});

it("writes all sites of a call or none: whatever its limits are, they are looked at before the first is written", async () => {
  const network = await start({ sitesMax: 4, cellSitesMax: 3, sizeProfilesMax: 2, openingTimesMax: 2, termsMax: 2 });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const at = (ref: string) => ({ latitude: 1.3, longitude: 103.8, ref });
  const places = (sideMm: number): SiteFacts["classes"] => [["M", sideMm, sideMm, sideMm, 20_000, 4]];
  const weekly = (closeMinute: number) => ({
    openingHours: create(OpeningHoursSchema, { weekly: [{ openDay: 1, openMinute: 0, closeDay: 1, closeMinute }] }),
  });
  const calls = {
    sitesMax: [1, 2, 3, 4, 5].map((number) => makeSite(at(`s${number}`))),
    cellSitesMax: [1, 2, 3, 4].map((number) => makeSite(at(`c${number}`))),
    sizeProfilesMax: [1, 2, 3].map((number) => makeSite({ ...at(`p${number}`), classes: places(100 * number) ?? [] })),
    openingTimesMax: [1, 2, 3].map((number) => makeSite(at(`h${number}`), weekly(number))),
    termsMax: [1, 2, 3].map((days) => makeSite(at(`t${days}`), { terms: { freeStorage: { seconds: BigInt(86_400 * days) } } })),
  };
  const upsert = (sites: (typeof calls)["sitesMax"], validateOnly: boolean) =>
    operator.client.directory.upsertSites({ requestId: randomUUID(), sites, validateOnly });
  for (const [quota, sites] of Object.entries(calls)) {
    for (const validateOnly of [true, false]) {
      const full = [quota, { reason: "QUOTA_EXHAUSTED", metadata: { quota, used: "0" } }];
      expect([quota, await failureOf(upsert(sites, validateOnly))]).toMatchObject(full);
    }
  }
  const region = parseSiteId((await network.putSites(operator, makeSite(at("one"))))[0] ?? "")?.region ?? "";
  const { limits } = await operator.client.participants.getLimits({ region });
  const usedOf = (kind: LimitKind) => Number(limits.find((limit) => limit.kind === kind)?.used);
  expect([usedOf(LimitKind.SITES), usedOf(LimitKind.TERMS), usedOf(LimitKind.SIZE_PROFILES_IN_REGION)]).toEqual([1, 0, 1]);
});

it("refuses what adds events to a reservation as often as somebody likes, and nothing that ends it", async () => {
  const network = await start({ reservationEventsMax: 6 });
  const [operator, courier] = [await network.join("Operator", [Role.OPERATOR]), await network.join("Courier", [Role.COURIER])];
  const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
  const { reservations, custody } = courier.client;
  const held = await reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
  });
  const reservationId = held.reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const issue = (requestId: string) => reservations.issueCredential({ requestId, reservationId, act: Act.DEPOSIT });
  const requestIds = Array.from({ length: 10 }, () => randomUUID());
  const outcomes = await Promise.allSettled(requestIds.map(issue));
  const full = { reason: "QUOTA_EXHAUSTED", metadata: { quota: "reservationEventsMax", limit: "6", subject: reservationId } };
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused.length).toBeGreaterThan(0);
  for (const outcome of refused) expect(fromConnectError((outcome as PromiseRejectedResult).reason)).toMatchObject(full);
  expect((await custody.getCustodyChain({ reservationId })).events.length).toBeLessThanOrEqual(6);
  const first = outcomes.findIndex(({ status }) => status === "fulfilled");
  expect(await issue(requestIds[first] ?? "")).toEqual((outcomes[first] as PromiseFulfilledResult<unknown>).value);
  const until = { seconds: BigInt(Math.floor(Date.now() / 1000) + 200_000), nanos: 0 };
  expect(await failureOf(reservations.extend({ requestId: randomUUID(), reservationId, until }))).toMatchObject(full);
  const bundle = { requestId: randomUUID(), reservationIds: [reservationId] };
  expect(await failureOf(reservations.putBundle(bundle))).toMatchObject(full);
  const { reservation } = await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
  expect(reservation?.state).toBe(ReservationState.CANCELLED);
});

it("does not count what an operator's changes of the site add to a reservation", async () => {
  const clock = createFrozenClock();
  const network = await startTestNetwork({ redis, quotas: { reservationEventsMax: 6 }, now: clock.now, sweepIntervalMs: 50 });
  onTestFinished(() => network.stop());
  const [operator, courier] = [await network.join("Operator", [Role.OPERATOR]), await network.join("Courier", [Role.COURIER])];
  const site = makeSite({ latitude: 1.3, longitude: 103.8 });
  const siteId = await network.putSite(operator, site);
  const { reservations, custody } = courier.client;
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const held = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const reservationId = held.reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  for (let change = 1; change <= 6; change++) {
    const lifecycle = change % 2 === 1 ? SiteLifecycle.MAINTENANCE : SiteLifecycle.ACTIVE;
    await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site, lifecycle }] });
    await expect.poll(async () => (await custody.getCustodyChain({ reservationId })).events.length).toBe(2 + change);
    clock.advance(toldEveryMs);
  }
  const issue = () => reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  await issue();
  await reservations.putBundle({ requestId: randomUUID(), reservationIds: [reservationId] });
  await issue();
  await issue();
  const full = { reason: "QUOTA_EXHAUSTED", metadata: { used: "6", limit: "6" } };
  expect(await failureOf(issue())).toMatchObject(full);
});

it("keeps an operator's terms within the limit, counts equal terms once, and states in GetLimits what is used", async () => {
  const network = await start({ termsMax: 2, sizeProfilesMax: 7 });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const terms = (hours: number) => ({ freeStorage: { seconds: BigInt(hours * 3600), nanos: 0 } });
  const setDefault = (hours: number) => operator.client.directory.setDefaultTerms({ requestId: randomUUID(), terms: terms(hours) });
  await setDefault(48);
  await setDefault(72);
  await setDefault(48);
  const full = { reason: "QUOTA_EXHAUSTED", metadata: { quota: "termsMax", limit: "2", used: "2", subject: operator.participantId } };
  expect(await failureOf(setDefault(96))).toMatchObject(full);
  const site = (ref: string, hours: number) => makeSite({ ref, latitude: 1.3, longitude: 103.8 }, { terms: terms(hours) });
  const upsert = (ref: string, hours: number) =>
    operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [site(ref, hours)] });
  expect(await failureOf(upsert("A", 96))).toMatchObject(full);
  const siteId = (await upsert("A", 72)).results[0]?.siteId ?? "";
  const region = parseSiteId(siteId)?.region ?? "";
  const { limits } = await operator.client.participants.getLimits({ region });
  const numbersOf = (wanted: LimitKind) =>
    limits.filter(({ kind }) => kind === wanted).map(({ limit, used = 0n, left = 0n }) => [limit, used, left].map(Number));
  expect(numbersOf(LimitKind.TERMS)).toEqual([[2, 2, 0]]);
  expect(numbersOf(LimitKind.KEYS)).toEqual([[100, 1, 99]]);
  expect(numbersOf(LimitKind.SITES)).toEqual([[50_000, 1, 49_999]]);
  expect(limits.find(({ kind }) => kind === LimitKind.SITES_IN_CELL)?.limit).toBe(1000n);
  expect(numbersOf(LimitKind.SIZE_PROFILES_IN_REGION)).toEqual([[7, 1, 6]]);
  expect(numbersOf(LimitKind.OPENING_TIMES_IN_REGION)).toEqual([[10_000, 0, 10_000]]);
});

it("keeps the latest keys of a webhook endpoint, however often they are rotated", async () => {
  const network = await start();
  const courier = await network.join("Courier", [Role.COURIER]);
  const { webhooks } = courier.client;
  const { endpoint } = await webhooks.createEndpoint({ requestId: randomUUID(), url: "https://hooks.invalid/petak" });
  const endpointId = endpoint?.endpointId ?? "";
  for (let count = 0; count < 15; count++) await webhooks.rotateEndpointKey({ requestId: randomUUID(), endpointId });
  const fields = await redis.client.hkeys(createKeys(network.shared.keyPrefix).webhookEndpoint(endpointId));
  expect(fields.filter((field) => field.startsWith("key:")).sort()).toEqual(
    [7, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((number) => `key:${number}`).sort(),
  );
});
