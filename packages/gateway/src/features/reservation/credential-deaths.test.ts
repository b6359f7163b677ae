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

/** A reservation of the courier's that is confirmed, for which a credential to collect can be issued. */
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

/** All PINs of the site, with the field under which each is kept. */
async function pins(): Promise<Map<string, number>> {
  const { region = "", siteNumber = 0 } = parseSiteId(siteId) ?? {};
  const kept = await world.connection.hgetallBuffer(steady.records.keys.sitePins(region, siteNumber));
  return new Map(Object.entries(kept).map(([field, entry]) => [field, decodePinEntry(entry).expiresAtS]));
}

/** The field among {@link pins} of a reservation's, or of a bundle's. */
const fieldOf = (id: string) => `${id.startsWith("bdl_") ? "b" : ""}${id.slice(-16)}`;

/** How many keys there are of each kind, the kind being the words of the name without what names one of them; and how many PINs. */
async function keyCounts(): Promise<Record<string, number>> {
  const counts: Record<string, number> = { PINs: (await pins()).size };
  for (const name of await world.connection.keys(`${redis.keyPrefix}*`)) {
    const words = name.slice(redis.keyPrefix.length).split(":");
    const kind = words.filter((word) => /^[a-z-]{3,11}$/.test(word)).join(" ");
    // One for all PINs of the site.
    if (!kind.endsWith("pins")) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** What a call has added to the keys. */
async function added(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await keyCounts();
  await work();
  const after = await keyCounts();
  return Object.fromEntries(
    Object.entries(after).flatMap(([kind, count]) => (count === before[kind] ? [] : [[kind, count - (before[kind] ?? 0)]])),
  );
}

/** A call that is made of one thing anew each time, and what must have become of that once it was done, however often it was begun. */
interface Tried<Subject, Answer> {
  prepare(): Promise<Subject>;
  call(gateway: ReservationGateway, requestId: string, subject: Subject): Promise<Answer>;
  expectOnce(subject: Subject, answer: Answer): Promise<void>;
}

/**
 * Makes a call at gateways that die at each of its commands, before or after the command is done, until one does not die; and repeats it at another each
 * time: one answer, whenever it is asked for, done once, and no key more than where nobody dies.
 */
async function survivesEveryDeath<Subject, Answer>({ prepare, call, expectOnce }: Tried<Subject, Answer>): Promise<void> {
  const undisturbed = await prepare();
  const usual = await added(() => call(steady, randomUUID(), undisturbed));
  await atEveryDeath({ connection: world.connection, commandsMin: 3 }, async (dying, { atCommand, isDone }) => {
    const subject = await prepare();
    const requestId = randomUUID();
    const mortal = world.over(dying);
    let hasDied = false;
    const keys = await added(async () => {
      hasDied = await dies(call(mortal, requestId, subject));
      // Whoever comes back comes later.
      world.clock.advance(1000);
      const answer = await call(steady, requestId, subject);
      await expectOnce(subject, answer);
      world.clock.advance(60_000);
      expect(await call(steady, requestId, subject)).toEqual(answer);
      await expectOnce(subject, answer);
    });
    expect([atCommand, isDone, keys]).toEqual([atCommand, isDone, usual]);
    return hasDied;
  });
}

describe("a credential, at whichever command the gateway dies", () => {
  it("is issued once, with the PIN that opens", async () => {
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

describe("an extension, at whichever command the gateway dies", () => {
  it.each(["alone", "in a batch"])(
    "%s moves the ends of the parcel's PIN and of its bundle's once, and those of no others",
    async (how) => {
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
          return { extended, bundleId, untilMs, before: await pins(), version: await steady.records.sites.allowedVersion(siteId) };
        },
        call: async ({ service }, requestId, { extended, untilMs }) => {
          const request = create(ExtendRequestSchema, { requestId, reservationId: extended, until: timestampFromMs(untilMs) });
          if (how === "alone") return ((await service.extend(request, context)) as ExtendResponse).reservation;
          const calls = [{ call: { case: "extend" as const, value: request } }];
          const { results } = (await service.batch(create(BatchRequestSchema, { calls }), context)) as BatchResponse;
          const [only] = results;
          return only?.result.case === "extend" ? only.result.value.reservation : undefined;
        },
        async expectOnce({ extended, bundleId, untilMs, before, version }, answer) {
          expect(answer).toMatchObject({ reservationId: extended, collectUntil: timestampFromMs(untilMs) });
          expect(await eventsOf(extended, EventType.RESERVATION_EXTENDED)).toHaveLength(1);
          const moved = [extended, bundleId].map((id) => [fieldOf(id), untilMs / 1000] as const);
          expect(await pins()).toEqual(new Map([...before, ...moved]));
          expect(await steady.records.sites.allowedVersion(siteId)).toBe(version + 1);
        },
      });
    },
  );
});

describe("a bundle, at whichever command the gateway dies", () => {
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

  it("is changed once: one parcel comes, one leaves, one stays", async () => {
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

  it("gets one credential for all its parcels, with the PIN that opens", async () => {
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
