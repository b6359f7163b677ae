import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  BatchRequestSchema,
  type BatchResponse,
  type Bundle,
  DelegateCredentialRequestSchema,
  type DelegateCredentialResponse,
  EventType,
  ExtendRequestSchema,
  type ExtendResponse,
  IssueBundleCredentialRequestSchema,
  type IssueBundleCredentialResponse,
  IssueCredentialRequestSchema,
  type IssueCredentialResponse,
  PutBundleRequestSchema,
  type PutBundleResponse,
  parseSiteId,
  type Reservation,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import { decodePinEntry } from "@petak/records/testing";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { contextOf, testCaller } from "../../identity/testing/test-caller.ts";
import { openReservationWorld, type ReservationGateway, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();
const courier = testCaller(Role.COURIER);
const context = contextOf(courier);

let world: ReservationWorld;
let steady: ReservationGateway;
let siteId: string;

beforeEach(async () => {
  world = await openReservationWorld(redis, courier);
  steady = world.steady;
  siteId = await world.putSite(1000);
});

/** Makes a confirmed reservation, for which a COLLECT credential can be issued. Returns its id. */
async function confirmed(): Promise<string> {
  const { reservationId } = await steady.reserve(siteId);
  await steady.confirm(reservationId);
  return reservationId;
}

async function issued(reservationId: string, withPin = false): Promise<IssueCredentialResponse> {
  const request = create(IssueCredentialRequestSchema, { requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin });
  return (await steady.service.issueCredential(request, context)) as IssueCredentialResponse;
}

async function bundled(reservationIds: readonly string[]): Promise<Bundle> {
  const request = create(PutBundleRequestSchema, { requestId: randomUUID(), reservationIds: [...reservationIds] });
  return ((await steady.service.putBundle(request, context)) as PutBundleResponse).bundle as Bundle;
}

async function issuedForBundle(bundleId: string, withPin = false): Promise<IssueBundleCredentialResponse> {
  const request = create(IssueBundleCredentialRequestSchema, { requestId: randomUUID(), bundleId, withPin });
  return (await steady.service.issueBundleCredential(request, context)) as IssueBundleCredentialResponse;
}

const found = async (reservationId: string) => (await steady.records.reservations.find(reservationId)) as Reservation;
const foundBundle = async (bundleId: string) => (await steady.records.bundles.find(bundleId)) as Bundle;
const eventsOf = async (reservationId: string, type: EventType) =>
  (await steady.records.events.chain(reservationId)).filter((event) => event.type === type);

/** Expiry of each PIN of the site in s since 1970, by the field of the PIN. */
async function pins(): Promise<Map<string, number>> {
  const { region = "", siteNumber = 0 } = parseSiteId(siteId) ?? {};
  const kept = await world.connection.hgetallBuffer(steady.records.keys.sitePins(region, siteNumber));
  return new Map(Object.entries(kept).map(([field, entry]) => [field, decodePinEntry(entry).expiresAtS]));
}

/** The field in {@link pins} of a reservation or bundle. */
const fieldOf = (id: string) => `${id.startsWith("bdl_") ? "b" : ""}${id.slice(-16)}`;

/** Number of keys of each kind, which is the key name without ids, and number of PINs. */
async function keyCounts(): Promise<Record<string, number>> {
  const counts: Record<string, number> = { PINs: (await pins()).size };
  for (const name of await world.connection.keys(`${redis.keyPrefix}*`)) {
    const words = name.slice(redis.keyPrefix.length).split(":");
    const kind = words.filter((word) => /^[a-z-]{3,11}$/.test(word)).join(" ");
    // One key holds all PINs of the site.
    if (!kind.endsWith("pins")) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Number of keys that a call has added, by kind. */
async function added(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await keyCounts();
  await work();
  const after = await keyCounts();
  return Object.fromEntries(
    Object.entries(after).flatMap(([kind, count]) => (count === before[kind] ? [] : [[kind, count - (before[kind] ?? 0)]])),
  );
}

/** A call under test. */
interface Tested<Subject, Response> {
  /** Prepares a new subject for each attempt. */
  prepare(): Promise<Subject>;
  call(gateway: ReservationGateway, requestId: string, subject: Subject): Promise<Response>;
  /** Expects that the call had its effect once. */
  expectOnce(subject: Subject, response: Response): Promise<void>;
}

/**
 * Makes a call to gateways that die at each of its commands in turn, before or after the command is executed, and repeats it at another gateway. Expects
 * that every duplicate gets the same response, that the effect happens once, and that no additional keys remain.
 */
async function survivesEveryDeath<Subject, Response>({ prepare, call, expectOnce }: Tested<Subject, Response>): Promise<void> {
  const undisturbed = await prepare();
  const usual = await added(() => call(steady, randomUUID(), undisturbed));
  await atEveryDeath({ connection: world.connection, commandsMin: 3 }, async (dying, { atCommand, isDone }) => {
    const subject = await prepare();
    const requestId = randomUUID();
    const mortal = world.over(dying);
    let hasDied = false;
    const keys = await added(async () => {
      hasDied = await dies(call(mortal, requestId, subject));
      // A duplicate arrives later.
      world.clock.advance(1000);
      const response = await call(steady, requestId, subject);
      await expectOnce(subject, response);
      world.clock.advance(60_000);
      expect(await call(steady, requestId, subject)).toEqual(response);
      await expectOnce(subject, response);
    });
    expect([atCommand, isDone, keys]).toEqual([atCommand, isDone, usual]);
    return hasDied;
  });
}

describe("a credential, wherever the gateway dies", () => {
  it("is issued once, with the PIN that is stored", async () => {
    await survivesEveryDeath({
      prepare: confirmed,
      call: async ({ service }, requestId, reservationId) => {
        const request = create(IssueCredentialRequestSchema, { requestId, reservationId, act: Act.COLLECT, withPin: true });
        return (await service.issueCredential(request, context)) as IssueCredentialResponse;
      },
      async expectOnce(reservationId, { pin, expiresAt }) {
        expect(await eventsOf(reservationId, EventType.CREDENTIAL_ISSUED)).toHaveLength(1);
        expect(pin).toMatch(/^\d{8}$/);
        const end = (await pins()).get(fieldOf(reservationId)) ?? 0;
        expect(end).toBeGreaterThanOrEqual(Math.floor((expiresAt === undefined ? 0 : timestampMs(expiresAt)) / 1000));
      },
    });
  });

  it("is delegated once: one event, one delegation, one token", async () => {
    await survivesEveryDeath({
      async prepare() {
        const reservationId = await confirmed();
        return { reservationId, parent: await issued(reservationId) };
      },
      call: async ({ service }, requestId, { parent: { accessToken } }) =>
        (await service.delegateCredential(
          create(DelegateCredentialRequestSchema, { requestId, accessToken }),
          context,
        )) as DelegateCredentialResponse,
      async expectOnce({ reservationId, parent }, { credentialHash, parentCredentialHash }) {
        expect(parentCredentialHash).toBe(parent.credentialHash);
        const { delegations } = await found(reservationId);
        expect(delegations).toMatchObject([{ credentialHash, parentCredentialHash }]);
        const events = await eventsOf(reservationId, EventType.CREDENTIAL_DELEGATED);
        expect(events.map(({ proof }) => proof)).toMatchObject([{ credentialHash, parentCredentialHash }]);
      },
    });
  });

  it("of a bundle is delegated once, with one event for each parcel", async () => {
    await survivesEveryDeath({
      async prepare() {
        const ids = [await confirmed(), await confirmed()];
        const { bundleId } = await bundled(ids);
        return { ids, bundleId, parent: await issuedForBundle(bundleId) };
      },
      call: async ({ service }, requestId, { parent: { accessToken } }) =>
        (await service.delegateCredential(
          create(DelegateCredentialRequestSchema, { requestId, accessToken }),
          context,
        )) as DelegateCredentialResponse,
      async expectOnce({ ids, bundleId }, { credentialHash, parentCredentialHash }) {
        expect((await foundBundle(bundleId)).delegations).toMatchObject([{ credentialHash, parentCredentialHash }]);
        for (const id of ids) {
          const events = await eventsOf(id, EventType.CREDENTIAL_DELEGATED);
          expect(events).toMatchObject([{ bundleId, proof: { credentialHash, parentCredentialHash } }]);
        }
      },
    });
  });

  it("is revoked once, and its PIN with it", async () => {
    await survivesEveryDeath({
      async prepare() {
        const reservationId = await confirmed();
        return { reservationId, credentialHash: (await issued(reservationId, true)).credentialHash };
      },
      call: async ({ service }, requestId, { reservationId, credentialHash }) => {
        const subject = { case: "reservationId", value: reservationId } as const;
        return (await service.revokeCredential(
          create(RevokeCredentialRequestSchema, { requestId, subject, credentialHash, pin: true }),
          context,
        )) as object;
      },
      async expectOnce({ reservationId, credentialHash }) {
        expect((await found(reservationId)).revokedCredentials).toMatchObject([{ credentialHash }]);
        expect(await eventsOf(reservationId, EventType.CREDENTIAL_REVOKED)).toMatchObject([{ proof: { credentialHash } }]);
        expect((await pins()).has(fieldOf(reservationId))).toBe(false);
      },
    });
  });

  it("that was delegated is revoked once", async () => {
    await survivesEveryDeath({
      async prepare() {
        const reservationId = await confirmed();
        const { accessToken } = await issued(reservationId);
        const request = create(DelegateCredentialRequestSchema, { requestId: randomUUID(), accessToken });
        const { credentialHash } = (await steady.service.delegateCredential(request, context)) as DelegateCredentialResponse;
        return { reservationId, credentialHash };
      },
      call: async ({ service }, requestId, { reservationId, credentialHash }) => {
        const subject = { case: "reservationId", value: reservationId } as const;
        return (await service.revokeCredential(
          create(RevokeCredentialRequestSchema, { requestId, subject, credentialHash }),
          context,
        )) as object;
      },
      async expectOnce({ reservationId, credentialHash }) {
        const { delegations } = await found(reservationId);
        expect(delegations.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([true]);
        expect(await eventsOf(reservationId, EventType.CREDENTIAL_REVOKED)).toMatchObject([{ proof: { credentialHash } }]);
      },
    });
  });

  it("of a bundle is revoked once, and its PIN with it", async () => {
    await survivesEveryDeath({
      async prepare() {
        const ids = [await confirmed(), await confirmed()];
        const { bundleId } = await bundled(ids);
        return { ids, bundleId, credentialHash: (await issuedForBundle(bundleId, true)).credentialHash };
      },
      call: async ({ service }, requestId, { bundleId, credentialHash }) => {
        const subject = { case: "bundleId", value: bundleId } as const;
        return (await service.revokeCredential(
          create(RevokeCredentialRequestSchema, { requestId, subject, credentialHash, pin: true }),
          context,
        )) as object;
      },
      async expectOnce({ ids, bundleId, credentialHash }) {
        expect((await foundBundle(bundleId)).revokedCredentials).toMatchObject([{ credentialHash }]);
        for (const id of ids)
          expect(await eventsOf(id, EventType.CREDENTIAL_REVOKED)).toMatchObject([{ bundleId, proof: { credentialHash } }]);
        expect((await pins()).has(fieldOf(bundleId))).toBe(false);
      },
    });
  });
});

describe("an extension, wherever the gateway dies", () => {
  it.each(["alone", "in a batch"])("%s extends the PINs of the parcel and of its bundle once, and no others", async (how) => {
    await survivesEveryDeath({
      async prepare() {
        const [extended = "", beside = ""] = [await confirmed(), await confirmed()];
        for (const reservationId of [extended, beside]) await steady.deposit(reservationId);
        const { bundleId } = await bundled([extended, beside]);
        const { bundleId: otherId } = await bundled([await confirmed()]);
        await issuedForBundle(otherId, true);
        await issued(beside, true);
        await issued(extended, true);
        await issuedForBundle(bundleId, true);
        const untilMs = world.clock.now() + 5 * 86_400_000;
        return { extended, bundleId, untilMs, before: await pins(), version: (await steady.records.allowedChanges.version(siteId)).number };
      },
      call: async ({ service }, requestId, { extended, untilMs }) => {
        const request = create(ExtendRequestSchema, { requestId, reservationId: extended, until: timestampFromMs(untilMs) });
        if (how === "alone") return ((await service.extend(request, context)) as ExtendResponse).reservation;
        const calls = [{ call: { case: "extend" as const, value: request } }];
        const { results } = (await service.batch(create(BatchRequestSchema, { calls }), context)) as BatchResponse;
        const [only] = results;
        return only?.result.case === "extend" ? only.result.value.reservation : undefined;
      },
      async expectOnce({ extended, bundleId, untilMs, before, version }, response) {
        expect(response).toMatchObject({ reservationId: extended, collectUntil: timestampFromMs(untilMs) });
        expect(await eventsOf(extended, EventType.RESERVATION_EXTENDED)).toHaveLength(1);
        const moved = [extended, bundleId].map((id) => [fieldOf(id), untilMs / 1000] as const);
        expect(await pins()).toEqual(new Map([...before, ...moved]));
        expect((await steady.records.allowedChanges.version(siteId)).number).toBe(version + 1);
      },
    });
  });
});

describe("a bundle, wherever the gateway dies", () => {
  it("is made once, of all its parcels", async () => {
    await survivesEveryDeath({
      prepare: async () => [await confirmed(), await confirmed(), await confirmed()],
      call: async ({ service }, requestId, reservationIds) =>
        (await service.putBundle(create(PutBundleRequestSchema, { requestId, reservationIds }), context)) as PutBundleResponse,
      async expectOnce(ids, { bundle }) {
        expect(await foundBundle(bundle?.bundleId ?? "")).toEqual(bundle);
        expect(bundle).toMatchObject({ revision: 1, reservationIds: ids });
        for (const id of ids) {
          expect((await found(id)).bundleId).toBe(bundle?.bundleId);
          expect(await eventsOf(id, EventType.RESERVATION_BUNDLED)).toHaveLength(1);
        }
      },
    });
  });

  it("is changed once: one parcel is added, one is removed, one stays", async () => {
    await survivesEveryDeath({
      async prepare() {
        const [staying, leaving, coming] = [await confirmed(), await confirmed(), await confirmed()];
        return { staying, leaving, coming, bundleId: (await bundled([staying, leaving])).bundleId };
      },
      call: async ({ service }, requestId, { staying, coming, bundleId }) =>
        (await service.putBundle(
          create(PutBundleRequestSchema, { requestId, bundleId, reservationIds: [staying, coming] }),
          context,
        )) as PutBundleResponse,
      async expectOnce({ staying, leaving, coming, bundleId }, { bundle }) {
        expect(await foundBundle(bundleId)).toEqual(bundle);
        expect(bundle).toMatchObject({ revision: 2, reservationIds: [staying, coming] });
        const members = await Promise.all([staying, leaving, coming].map(found));
        expect(members.map((member) => member.bundleId)).toEqual([bundleId, "", bundleId]);
        expect(await eventsOf(staying, EventType.RESERVATION_BUNDLED)).toHaveLength(1);
        expect(await eventsOf(leaving, EventType.RESERVATION_UNBUNDLED)).toHaveLength(1);
        expect(await eventsOf(coming, EventType.RESERVATION_BUNDLED)).toHaveLength(1);
      },
    });
  });

  it("gets one credential for all its parcels, with the PIN that is stored", async () => {
    await survivesEveryDeath({
      async prepare() {
        const ids = [await confirmed(), await confirmed()];
        return { ids, bundleId: (await bundled(ids)).bundleId };
      },
      call: async ({ service }, requestId, { bundleId }) =>
        (await service.issueBundleCredential(
          create(IssueBundleCredentialRequestSchema, { requestId, bundleId, withPin: true }),
          context,
        )) as IssueBundleCredentialResponse,
      async expectOnce({ ids, bundleId }, { pin, expiresAt }) {
        expect(pin).toMatch(/^\d{8}$/);
        expect((await pins()).get(fieldOf(bundleId))).toBe(Math.floor((expiresAt === undefined ? 0 : timestampMs(expiresAt)) / 1000));
        for (const id of ids) expect(await eventsOf(id, EventType.CREDENTIAL_ISSUED)).toMatchObject([{ bundleId }]);
      },
    });
  });
});
