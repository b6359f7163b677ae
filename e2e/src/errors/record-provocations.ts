import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import {
  CancellationReason,
  CorrectionReason,
  CustodyService,
  DeviceEventType,
  DirectoryService,
  LatLngSchema,
  Mode,
  OverflowFallback,
  ParcelRequirement,
  ParticipantService,
  type Reason,
  ReservationService,
  Role,
  SiteLifecycle,
  WebhookService,
} from "@petak/protocol";
import { makeSite, type TestRedis } from "@petak/testkit";
import type { TestNetworkOptions } from "@petak/testkit/network";
import { expect } from "vitest";
import { type GoodRequestSubjects, nowhereUrl } from "../testing/good-requests.ts";
import { inSideNetwork } from "../testing/side-network.ts";
import { addWebhook, authorizationOf, countersigning, parcel } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { Provocation, Scene } from "./provocation.ts";

const { getSite, upsertSites, reportCapacity, retireSites } = DirectoryService.method;
const { reserve, redirect, extend, cancel, confirm, getReservation } = ReservationService.method;
const { listEvents, correctEvents, countersignReceipt } = CustodyService.method;
const { createPublishableKey, getParticipant, revokeKey } = ParticipantService.method;

const { createEndpoint, getEndpoint, replayEvents } = WebhookService.method;

const unknownSiteId = "site_83652b_k3v9c0x2md00zzzz";
const unknownReservationId = "res_83652b_0000000000000000";
const farAway = { latitude: 10.8, longitude: 106.7 };
const oneId = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_`)) as unknown;
const someSite = () => ({ site_id: oneId("site"), subject: oneId("site") });

async function reserveAt({ world, protocol }: Scene, siteId: string, requestId: string = randomUUID(), massG = 1000): Promise<RawAnswer> {
  return await world.raw.call(
    protocol,
    reserve,
    { requestId, place: { case: "siteId", value: siteId }, parcel: { ...parcel, massG } },
    { authorization: await authorizationOf(world.courier) },
  );
}

/** Queues one reservation more at a full site than the network's limits permit. */
async function waitBeyond(limits: TestNetworkOptions, redis: TestRedis, protocol: WireProtocol): Promise<RawAnswer> {
  return await inSideNetwork(redis, limits, async ({ network, raw }) => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const courier = await network.join("Courier", [Role.COURIER]);
    const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1]] });
    const authorization = await authorizationOf(courier);
    const place = { case: "siteId", value: await network.putSite(operator, site) } as const;
    await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const wait = () =>
      raw.call(
        protocol,
        reserve,
        {
          requestId: randomUUID(),
          place,
          parcel,
          overflowPolicy: { wait: { seconds: 60n }, fallback: OverflowFallback.ASK_CONSUMER },
        },
        { authorization },
      );
    for (let number = 0; number < 2; number++) expect(readFailure(await wait())).toBeUndefined();
    return await wait();
  });
}

/** Holds one place more at a site than the participant may, while places are free there. */
async function holdBeyond(redis: TestRedis, protocol: WireProtocol): Promise<RawAnswer> {
  return await inSideNetwork(redis, { holdsSiteMin: 2, holdsSitePercent: 20 }, async ({ network, raw }) => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const courier = await network.join("Courier", [Role.COURIER]);
    const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 9]] });
    const authorization = await authorizationOf(courier);
    const place = { case: "siteId", value: await network.putSite(operator, site) } as const;
    const overflowPolicy = { fallback: OverflowFallback.ASK_CONSUMER };
    const hold = () => raw.call(protocol, reserve, { requestId: randomUUID(), place, parcel, overflowPolicy }, { authorization });
    for (let number = 0; number < 2; number++) expect(readFailure(await hold())).toBeUndefined();
    return await hold();
  });
}

/** Countersigns a receipt, with the given parts replaced by wrong ones. */
async function countersign(
  { world, protocol }: Scene,
  change: Partial<GoodRequestSubjects["toCountersign"]>,
  subject?: GoodRequestSubjects["toCountersign"],
): Promise<RawAnswer> {
  const { courier, raw } = world;
  const message = { requestId: randomUUID(), ...(subject ?? (await countersigning(world))), ...change };
  return await raw.call(protocol, countersignReceipt, message, { authorization: await authorizationOf(courier) });
}

const unknownEventId = "evt_83652b_0000000000000000";

/** How many requests write one site at once: more than the gateway's attempts for the last of them, in any order. */
const writers = 40;

/** Provocations of the reasons about stored data: what a request names does not exist or is not in the required state. */
export const recordProvocations = {
  SITE_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, getSite, { siteId: unknownSiteId }, { authorization: await authorizationOf(world.courier) }),
    metadata: () => ({ site_id: unknownSiteId }),
  },
  RESERVATION_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        getReservation,
        { reservationId: unknownReservationId },
        { authorization: await authorizationOf(world.courier) },
      ),
    metadata: () => ({ reservation_id: unknownReservationId }),
  },
  PARTICIPANT_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        getParticipant,
        { participantId: world.stranger.participantId },
        { authorization: await authorizationOf(world.courier) },
      ),
    metadata: ({ stranger }) => ({ participant_id: stranger.participantId }),
  },
  KEY_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        revokeKey,
        { requestId: randomUUID(), keyId: world.stranger.signer.keyId },
        { authorization: await authorizationOf(world.courier) },
      ),
    metadata: ({ stranger }) => ({ key_id: stranger.signer.keyId }),
  },
  REQUEST_ID_REUSED: {
    provoke: async (scene) => {
      const { siteId } = await scene.world.addSite();
      const requestId = randomUUID();
      expect(readFailure(await reserveAt(scene, siteId, requestId))).toBeUndefined();
      return await reserveAt(scene, siteId, requestId, 999);
    },
    metadata: () => ({ request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown }),
  },
  CURSOR_INVALID: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, listEvents, { cursor: "bm9uZQ" }, { authorization: await authorizationOf(world.courier) }),
    fields: ["cursor"],
  },
  WEBHOOK_ENDPOINT_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        getEndpoint,
        { endpointId: "whe_test_0000000000000000" },
        { authorization: await authorizationOf(world.courier) },
      ),
    metadata: () => ({ endpoint_id: "whe_test_0000000000000000" }),
  },
  QUOTA_EXHAUSTED: {
    provoke: async ({ redis, protocol }) =>
      await inSideNetwork(redis, { quotas: { publishableKeysMax: 1 } }, async ({ network, raw }) => {
        const courier = await network.join("Courier", [Role.COURIER]);
        const wanted = { mode: Mode.TEST, origins: ["https://shop.example"] };
        await courier.client.participants.createPublishableKey({ ...wanted, requestId: randomUUID() });
        const request = { ...wanted, requestId: randomUUID() };
        return await raw.call(protocol, createPublishableKey, request, { authorization: await authorizationOf(courier) });
      }),
    metadata: () => ({ quota: "publishableKeysMax", limit: "1", used: "1", subject: oneId("par") }),
  },
  WEBHOOK_ENDPOINTS_EXHAUSTED: {
    provoke: async ({ world, protocol }) => {
      const eager = await world.network.join("Eager", [Role.COURIER]);
      for (let count = 0; count < 20; count++) await addWebhook(eager);
      return await world.raw.call(
        protocol,
        createEndpoint,
        { requestId: randomUUID(), url: nowhereUrl },
        { authorization: await authorizationOf(eager) },
      );
    },
    metadata: () => ({ limit: "20", subject: oneId("par") }),
  },
  WEBHOOK_REPLAYS_EXHAUSTED: {
    provoke: async ({ world, protocol }) => {
      const eager = await world.network.join("Eager", [Role.COURIER]);
      const endpointId = await addWebhook(eager);
      // Paused, so that no replay finishes.
      await eager.client.webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, paused: true });
      for (let count = 0; count < 5; count++) await eager.client.webhooks.replayEvents({ requestId: randomUUID(), endpointId });
      return await world.raw.call(
        protocol,
        replayEvents,
        { requestId: randomUUID(), endpointId },
        { authorization: await authorizationOf(eager) },
      );
    },
    metadata: () => ({ limit: "5", subject: oneId("whe") }),
  },
  ILLEGAL_STATE: {
    provoke: async ({ world, protocol }) => {
      const { reservationId } = await world.hold();
      await world.courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
      return await world.raw.call(
        protocol,
        cancel,
        { requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER },
        { authorization: await authorizationOf(world.courier) },
      );
    },
    metadata: () => ({ reservation_id: oneId("res"), subject: oneId("res"), state: "CANCELLED", wanted: "CANCELLED" }),
  },
  EXTENSION_EXHAUSTED: {
    provoke: async ({ world, protocol }) => {
      const { reservationId } = await world.hold();
      // Longer than the longest hold: the first such extension gets the longest possible one.
      const until = timestampFromMs(Date.now() + 30 * 86_400_000);
      await world.courier.client.reservations.extend({ requestId: randomUUID(), reservationId, until });
      return await world.raw.call(
        protocol,
        extend,
        { requestId: randomUUID(), reservationId, until },
        { authorization: await authorizationOf(world.courier) },
      );
    },
    metadata: () => ({
      reservation_id: oneId("res"),
      subject: oneId("res"),
      state: "HELD",
      limit: "hold_expires_at",
      until: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown,
    }),
  },
  NO_PLACE_FREE: {
    provoke: async (scene) => {
      const { siteId } = await scene.world.addSite({ classes: [["M", 400, 200, 500, 20_000, 1]] });
      expect(readFailure(await reserveAt(scene, siteId))).toBeUndefined();
      return await reserveAt(scene, siteId);
    },
    metadata: () => ({ site_id: oneId("site"), subject: oneId("site") }),
  },
  QUEUE_FULL: {
    provoke: async ({ redis, protocol }) => await waitBeyond({ queueSiteMax: 2 }, redis, protocol),
    metadata: () => ({ site_id: oneId("site"), waiting: "2", overflow_fallback: "ASK_CONSUMER" }),
  },
  QUEUE_SHARE_EXHAUSTED: {
    provoke: async ({ redis, protocol }) => await waitBeyond({ queueShareMax: 2 }, redis, protocol),
    metadata: () => ({ site_id: oneId("site"), waiting: "2", overflow_fallback: "ASK_CONSUMER" }),
  },
  HOLDS_EXHAUSTED: {
    provoke: async ({ redis, protocol }) => await holdBeyond(redis, protocol),
    metadata: () => ({ scope: "site", limit: "2", used: "2", site_id: oneId("site"), overflow_fallback: "ASK_CONSUMER" }),
  },
  OUTSIDE_OVERFLOW_POLICY: {
    provoke: async (scene) => {
      const { world, protocol } = scene;
      const [{ siteId: here }, { siteId: there }] = await Promise.all([world.addSite(), world.addSite({ latitude: 1.32 })]);
      const { reservation } = await world.courier.client.reservations.reserve({
        requestId: randomUUID(),
        place: { case: "siteId", value: here },
        parcel,
        overflowPolicy: { maxDistanceM: 500 },
      });
      return await world.raw.call(
        protocol,
        redirect,
        {
          requestId: randomUUID(),
          reservationId: reservation?.reservationId ?? "",
          place: { case: "siteId", value: there },
          reason: CancellationReason.SITE_PROBLEM,
        },
        { authorization: await authorizationOf(world.courier) },
      );
    },
    metadata: () => ({
      reservation_id: oneId("res"),
      subject: oneId("res"),
      site_id: oneId("site"),
      limit: "max_distance_m",
      max_distance_m: "500",
    }),
  },
  PARCEL_DOES_NOT_FIT: {
    provoke: async (scene) => {
      const { siteId } = await scene.world.addSite({ classes: [["S", 100, 100, 100, 500, 4]] });
      return await reserveAt(scene, siteId);
    },
    metadata: someSite,
  },
  SITE_NOT_ACCEPTING: {
    provoke: async (scene) => {
      const { siteId } = await scene.world.addSite({}, { lifecycle: SiteLifecycle.MAINTENANCE });
      return await reserveAt(scene, siteId);
    },
    metadata: someSite,
  },
  SITE_INTAKE_PAUSED: {
    provoke: async (scene) => {
      const { world } = scene;
      const { siteId } = await world.addSite();
      const device = await world.network.reporterAt(world.operator, siteId);
      await device.report({ type: DeviceEventType.SERVICE_CHANGED, intake: { paused: true, pausedUntil: { seconds: 4_102_444_800n } } });
      return await reserveAt(scene, siteId);
    },
    metadata: () => ({ ...someSite(), paused_until: "2100-01-01T00:00:00.000Z" }),
  },
  SITE_OUT_OF_SERVICE: {
    provoke: async ({ world, protocol }) => {
      const { siteId, site } = await world.addSite();
      const { reservationId } = await world.hold({ case: "siteId", value: siteId });
      await world.network.putSite(world.operator, { ...site, lifecycle: SiteLifecycle.MAINTENANCE });
      const authorization = await authorizationOf(world.courier);
      return await world.raw.call(protocol, confirm, { requestId: randomUUID(), reservationId }, { authorization });
    },
    metadata: () => ({ ...someSite(), reservation_id: oneId("res"), lifecycle: "MAINTENANCE", subject: oneId("res") }),
  },
  SITE_IN_USE: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      await world.hold({ case: "siteId", value: siteId });
      const authorization = await authorizationOf(world.operator);
      return await world.raw.call(protocol, retireSites, { requestId: randomUUID(), siteIds: [siteId] }, { authorization });
    },
    metadata: () => ({ ...someSite(), held: "1", occupied: "0", queued: "0" }),
  },
  SITE_REGION_CHANGED: {
    provoke: async ({ world, protocol }) => {
      const { site } = await world.addSite();
      return await world.raw.call(
        protocol,
        upsertSites,
        { requestId: randomUUID(), sites: [{ ...site, position: create(LatLngSchema, farAway) }] },
        { authorization: await authorizationOf(world.operator) },
      );
    },
    metadata: () => ({ ...someSite(), region: regionOfCell(indexCellOf(quantise(farAway))) }),
  },
  CAPACITY_IN_USE: {
    provoke: async ({ world, protocol }) => {
      const { siteId, site } = await world.addSite();
      await world.hold({ case: "siteId", value: siteId });
      const sizeClasses = site.sizeClasses.map((sizeClass) => ({ ...sizeClass, sizeClassId: "L" }));
      return await world.raw.call(
        protocol,
        upsertSites,
        { requestId: randomUUID(), sites: [{ ...site, sizeClasses }] },
        { authorization: await authorizationOf(world.operator) },
      );
    },
    metadata: () => ({ ...someSite(), size_class_id: "M" }),
  },
  EVENT_NOT_FOUND: {
    provoke: async ({ world, protocol }) => {
      const { reservationId } = await world.hold();
      const message = { requestId: randomUUID(), reservationId, eventIds: [unknownEventId], reason: CorrectionReason.OTHER };
      return await world.raw.call(protocol, correctEvents, message, { authorization: await authorizationOf(world.operator) });
    },
    metadata: () => ({ reservation_id: oneId("res"), event_id: unknownEventId }),
  },
  RECEIPT_NOT_FOUND: {
    provoke: async (scene) => await countersign(scene, { number: 99 }),
    metadata: () => ({ reservation_id: oneId("res"), number: "99", length: "2", subject: oneId("res") }),
  },
  COUNTERSIGNATURE_INVALID: {
    provoke: async (scene) => await countersign(scene, { signature: new Uint8Array(64).fill(7) }),
    metadata: ({ courier }) => ({
      reservation_id: oneId("res"),
      number: "2",
      receipt_hash: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      key_id: courier.signer.keyId,
      subject: oneId("res"),
    }),
  },
  NOT_PARTY_TO_HAND_OVER: {
    // Promising a place is no hand-over.
    provoke: async (scene) => await countersign(scene, { number: 1 }),
    metadata: () => ({ reservation_id: oneId("res"), number: "1", act: "RESERVED", subject: oneId("res") }),
  },
  ALREADY_COUNTERSIGNED: {
    provoke: async (scene) => {
      const subject = await countersigning(scene.world);
      expect(readFailure(await countersign(scene, {}, subject))).toBeUndefined();
      return await countersign(scene, {}, subject);
    },
    metadata: () => ({ reservation_id: oneId("res"), number: "2", countersigned_in: "3", subject: oneId("res") }),
  },
  SITE_REQUIREMENT_UNMET: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      return await world.raw.call(
        protocol,
        reserve,
        { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel, requirements: { stepFree: true } },
        { authorization: await authorizationOf(world.courier) },
      );
    },
    metadata: () => ({ ...someSite(), requirement: "STEP_FREE" }),
  },
  PARCEL_REQUIREMENT_UNMET: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      const requirements = [ParcelRequirement.DANGEROUS_GOODS, ParcelRequirement.NO_LOCKER];
      return await world.raw.call(
        protocol,
        reserve,
        { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel: { ...parcel, requirements } },
        { authorization: await authorizationOf(world.courier) },
      );
    },
    metadata: () => ({ ...someSite(), requirement: "DANGEROUS_GOODS" }),
  },
  AVAILABILITY_UNKNOWN: {
    // A report that counts other places than the site now has says nothing about those.
    provoke: async (scene) => {
      const { world, protocol } = scene;
      const { siteId, site } = await world.addSite();
      const authorization = await authorizationOf(world.operator);
      const observedAt = { seconds: BigInt(Math.floor(Date.now() / 1000)) };
      const sizeClasses = site.sizeClasses.map(({ sizeClassId, installed }) => ({ sizeClassId, free: installed }));
      const sites = [{ siteId, observedAt, sizeClasses }];
      const reported = await world.raw.call(protocol, reportCapacity, { requestId: randomUUID(), sites }, { authorization });
      expect(readFailure(reported)).toBeUndefined();
      expect(readFailure(await reserveAt(scene, siteId))).toBeUndefined();
      const more = { ...site, sizeClasses: site.sizeClasses.map((places) => ({ ...places, installed: places.installed + 1 })) };
      await world.operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [more] });
      return await reserveAt(scene, siteId);
    },
    metadata: someSite,
  },
  CONFLICT: {
    // All requests write different facts of one site. Each round of the race has one winner, and the gateway retries five times.
    provoke: async ({ world, protocol }) => {
      const { site } = await world.addSite();
      const authorization = await authorizationOf(world.operator);
      const answers = await Promise.all(
        Array.from({ length: writers }, (_, writer) =>
          world.raw.call(
            protocol,
            upsertSites,
            { requestId: randomUUID(), sites: [{ ...site, name: `Writer ${writer}` }] },
            { authorization },
          ),
        ),
      );
      const failures = answers.map(readFailure);
      expect([...new Set(failures.map((failure) => failure?.reason))].sort()).toEqual(["CONFLICT", undefined]);
      // When the race is over, a write succeeds at once.
      const lost = answers[failures.findIndex((failure) => failure !== undefined)];
      if (lost === undefined) throw new Error("nobody lost");
      await world.operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site, name: "Last" }] });
      return lost;
    },
    metadata: () => ({ site_id: oneId("site") }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
