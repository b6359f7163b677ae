import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { createAllocator, decodePinEntry, type RedisConnection } from "@petak/allocator";
import {
  Act,
  type Bundle,
  ConfirmRequestSchema,
  DelegateCredentialRequestSchema,
  type DelegateCredentialResponse,
  EventType,
  IssueBundleCredentialRequestSchema,
  type IssueBundleCredentialResponse,
  IssueCredentialRequestSchema,
  type IssueCredentialResponse,
  PutBundleRequestSchema,
  type PutBundleResponse,
  parseSiteId,
  type Reservation,
  ReserveRequestSchema,
  type ReserveResponse,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, type FrozenClock, makeSite, tempDir, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { gatewayTerms } from "../domain/terms.ts";
import { callerKey, type ParticipantCaller } from "../identity/index.ts";
import { testReceipts } from "../receipts/testing/test-receipts.ts";
import { type GatewaySecrets, loadGatewaySecrets } from "../secrets/gateway-secrets.ts";
import { createSiteCache } from "../stores/site-cache.ts";
import { createTermsBook } from "../stores/terms-book.ts";
import { createTermsStore } from "../stores/terms-store.ts";
import { createCredentialIssuer } from "./credential-issuer.ts";
import type { LogReader } from "./log-reader.ts";
import { createReservationService } from "./reservations.ts";

const redis = useRedis();
const dayMs = 86_400_000;
const courier: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000002",
  roles: [Role.COURIER],
  mode: "test",
  keyId: "key_test_0000000000000001",
};
const context = { values: createContextValues().set(callerKey, courier), signal: new AbortController().signal } as HandlerContext;
const receipts = await testReceipts();

type Gateway = ReturnType<typeof gatewayOver>;

let clock: FrozenClock;
let secrets: GatewaySecrets;
let connection: RedisConnection;
let steady: Gateway;
let siteId: string;

function gatewayOver(redisConnection: RedisConnection) {
  const allocator = createAllocator({ redis: redisConnection, prefix: `${redis.keyPrefix}petak` });
  const limits = { collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs };
  const service = createReservationService({
    allocator,
    siteCache: createSiteCache(allocator.sites),
    termsBook: createTermsBook(createTermsStore(redisConnection, redis.keyPrefix), gatewayTerms(limits), clock.now),
    credentials: createCredentialIssuer(secrets),
    receipts,
    // Nothing is listed here.
    reader: {} as LogReader,
    now: clock.now,
    holdDefaultMs: 900_000,
    holdMaxMs: dayMs,
    depositDefaultMs: dayMs,
  });
  return { allocator, service };
}

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  secrets = await loadGatewaySecrets(join(await tempDir(), "secrets.json"), clock.now);
  connection = await redis.connect();
  // Each gateway of a test listens to it.
  connection.setMaxListeners(0);
  steady = gatewayOver(connection);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "site", classes: [["M", 400, 200, 500, 20_000, 1000]] });
  siteId = (await steady.allocator.sites.put(site, 0)).siteId;
  return () => connection.disconnect();
});

/** A reservation of the courier's that is confirmed, for which a credential to collect can be issued. */
async function confirmed(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const reserving = create(ReserveRequestSchema, { requestId: randomUUID(), place, parcel });
  const { reservation } = (await steady.service.reserve(reserving, context)) as ReserveResponse;
  const reservationId = reservation?.reservationId ?? "";
  await steady.service.confirm(create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId }), context);
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

const found = async (reservationId: string) => (await steady.allocator.reservations.find(reservationId)) as Reservation;
const foundBundle = async (bundleId: string) => (await steady.allocator.bundles.find(bundleId)) as Bundle;
const eventsOf = async (reservationId: string, type: EventType) =>
  (await steady.allocator.events.chain(reservationId)).filter((event) => event.type === type);

/** All PINs of the site, with the field under which each is kept. */
async function pins(): Promise<Map<string, number>> {
  const { region = "", siteNumber = 0 } = parseSiteId(siteId) ?? {};
  const kept = await connection.hgetallBuffer(steady.allocator.keys.sitePins(region, siteNumber));
  return new Map(Object.entries(kept).map(([field, entry]) => [field, decodePinEntry(entry).expiresAtS]));
}

/** How many keys there are of each kind, the kind being the words of the name without what names one of them; and how many PINs. */
async function keyCounts(): Promise<Record<string, number>> {
  const counts: Record<string, number> = { PINs: (await pins()).size };
  for (const name of await connection.keys(`${redis.keyPrefix}*`)) {
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
  call(gateway: Gateway, requestId: string, subject: Subject): Promise<Answer>;
  expectOnce(subject: Subject, answer: Answer): Promise<void>;
}

/**
 * Makes a call at gateways that die at each of its commands, before or after the command is done, until one does not die; and repeats it at another each
 * time: one answer, whenever it is asked for, done once, and no key more than where nobody dies.
 */
async function survivesEveryDeath<Subject, Answer>({ prepare, call, expectOnce }: Tried<Subject, Answer>): Promise<void> {
  const undisturbed = await prepare();
  const usual = await added(() => call(steady, randomUUID(), undisturbed));
  let atCommand = 0;
  for (let hasDied = true; hasDied; ) {
    atCommand += 1;
    for (const isDone of [false, true]) {
      const subject = await prepare();
      const requestId = randomUUID();
      const mortal = gatewayOver(dyingAt(connection, { atCommand, isDone }).connection);
      const keys = await added(async () => {
        hasDied = await dies(call(mortal, requestId, subject));
        // Whoever comes back comes later.
        clock.advance(1000);
        const answer = await call(steady, requestId, subject);
        await expectOnce(subject, answer);
        clock.advance(60_000);
        expect(await call(steady, requestId, subject)).toEqual(answer);
        await expectOnce(subject, answer);
      });
      expect([atCommand, isDone, keys]).toEqual([atCommand, isDone, usual]);
    }
  }
  // It would say nothing if there were hardly anything to die at.
  expect(atCommand).toBeGreaterThan(3);
}

async function dies(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
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
        const end = (await pins()).get(reservationId.slice(-16)) ?? 0;
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
        expect((await pins()).has(reservationId.slice(-16))).toBe(false);
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
        expect((await pins()).has(`b${bundleId.slice(-16)}`)).toBe(false);
      },
    });
  });
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
        expect((await pins()).get(`b${bundleId.slice(-16)}`)).toBe(
          Math.floor((expiresAt === undefined ? 0 : timestampMs(expiresAt)) / 1000),
        );
        for (const id of ids) expect(await eventsOf(id, EventType.CREDENTIAL_ISSUED)).toMatchObject([{ bundleId }]);
      },
    });
  });
});
