import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { type Allocator, createAllocator, type RedisConnection } from "@petak/allocator";
import { countersignatureText, generateIssuerKey, generateKeyPair, signEd25519, verifyChain } from "@petak/credential";
import {
  ConfirmRequestSchema,
  type ConfirmResponse,
  CountersignReceiptRequestSchema,
  GetCustodyChainResponseSchema,
  type Reservation,
  ReservationState,
  ReserveRequestSchema,
  type ReserveResponse,
  Role,
} from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, makeSite, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { changed, moveTo } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { gatewayTerms } from "../domain/terms.ts";
import { callerKey, type ParticipantCaller } from "../identity/index.ts";
import { createReceipts } from "../receipts/receipts.ts";
import { createSiteCache } from "../stores/site-cache.ts";
import { createTermsBook } from "../stores/terms-book.ts";
import { createTermsStore } from "../stores/terms-store.ts";
import { createCountersign, receiptsOf } from "./countersign.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";
import type { LogReader } from "./log-reader.ts";
import { createReservationService } from "./reservations.ts";

const redis = useRedis();
const clock = createFrozenClock(1_800_000_000_000);
const dayMs = 86_400_000;
const courier: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000002",
  roles: [Role.COURIER],
  mode: "test",
  keyId: "key_test_0000000000000001",
};
const courierKey = await generateKeyPair();
const issuerKey = await generateIssuerKey();
const receipts = createReceipts({ issuerEpochs: () => [{ key: issuerKey, announcedAtMs: 0, signsFromMs: 0 }] });
const keys = { findKey: () => ({ ...courier, publicKey: courierKey.publicKey }) };

let connection: RedisConnection;
let steady: ReturnType<typeof gatewayOver>;
let siteId: string;

function gatewayOver(redisConnection: RedisConnection) {
  const allocator = createAllocator({ redis: redisConnection, prefix: `${redis.keyPrefix}petak` });
  const limits = { collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs };
  const service = createReservationService({
    allocator,
    siteCache: createSiteCache(allocator.sites),
    termsBook: createTermsBook(createTermsStore(redisConnection, redis.keyPrefix), gatewayTerms(limits), clock.now),
    // No credential is asked for here.
    credentials: {} as CredentialIssuer,
    receipts,
    // Nor is anything listed.
    reader: {} as LogReader,
    now: clock.now,
    holdDefaultMs: 900_000,
    holdMaxMs: dayMs,
    depositDefaultMs: dayMs,
  });
  const context = { values: createContextValues().set(callerKey, courier), signal: new AbortController().signal } as HandlerContext;
  return { allocator, service, context, countersign: createCountersign({ allocator, keys, receipts, now: clock.now }) };
}

beforeEach(async () => {
  connection = await redis.connect();
  connection.setMaxListeners(0);
  steady = gatewayOver(connection);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "site", classes: [["M", 400, 200, 500, 20_000, 1000]] });
  siteId = (await steady.allocator.sites.put(site, 0)).siteId;
  return () => connection.disconnect();
});

async function held(): Promise<string> {
  const { service, context } = steady;
  const place = { case: "siteId", value: siteId } as const;
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const { reservation } = (await service.reserve(
    create(ReserveRequestSchema, { requestId: randomUUID(), place, parcel }),
    context,
  )) as ReserveResponse;
  return reservation?.reservationId ?? "";
}

/** A reservation whose parcel was deposited, as its operator states. */
async function deposited(): Promise<string> {
  const { allocator, service, context } = steady;
  const reservationId = await held();
  await service.confirm(create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId }), context);
  const before = (await allocator.reservations.find(reservationId)) as Reservation;
  const stored = await allocator.sites.find(siteId);
  const after = changed(before, clock.now(), { state: ReservationState.DEPOSITED });
  const facts = { actor: participantParty({ participantId: before.operatorId }), atMs: clock.now() };
  const moving = await receipts.attach(before, moveTo(before, after, facts));
  await allocator.reservations.move({ ...moving, before, cell: stored?.cell ?? "", classIndex: 0, movedAtMs: clock.now() });
  return reservationId;
}

/** The acts of a chain, which must be whole and true. */
async function actsOf(allocator: Allocator, reservationId: string): Promise<string[]> {
  const events = await allocator.events.chain(reservationId);
  const reservation = (await allocator.reservations.find(reservationId)) as Reservation;
  const chain = create(GetCustodyChainResponseSchema, { reservation, events, receipts: await receiptsOf(events) });
  const { faults, links } = await verifyChain(chain, { issuerKeys: [issuerKey] });
  expect(faults).toEqual([]);
  return links.map(({ claims }) => claims.act);
}

/** Does work at gateways that die at each of its commands, before or after it is done, until one does not die. `work` says whether it did. */
async function atEveryDeath(work: (mortal: ReturnType<typeof gatewayOver>) => Promise<boolean>): Promise<void> {
  let atCommand = 0;
  for (let hasDied = true; hasDied; ) {
    atCommand += 1;
    for (const isDone of [false, true]) hasDied = await work(gatewayOver(dyingAt(connection, { atCommand, isDone }).connection));
  }
  // It would say nothing if there were hardly anything to die at.
  expect(atCommand).toBeGreaterThan(3);
}

async function dies(work: unknown): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}

describe("a receipt, at whichever command the gateway dies", () => {
  it("is made once for a confirmation, and the answer tells of it", async () => {
    await atEveryDeath(async ({ service, context }) => {
      const request = create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId: await held() });
      const hasDied = await dies(service.confirm(request, context));
      const { reservation } = (await steady.service.confirm(request, steady.context)) as ConfirmResponse;
      expect(reservation?.chain?.length).toBe(1);
      expect(await steady.allocator.reservations.find(reservation?.reservationId ?? "")).toEqual(reservation);
      expect(await actsOf(steady.allocator, reservation?.reservationId ?? "")).toEqual(["RESERVED"]);
      return hasDied;
    });
  });

  it("is countersigned once, with one answer", async () => {
    await atEveryDeath(async ({ countersign }) => {
      const reservationId = await deposited();
      const [, receipt] = await receiptsOf(await steady.allocator.events.chain(reservationId));
      const { keyId, participantId } = courier;
      const receiptHash = receipt?.hash ?? "";
      const text = new TextEncoder().encode(countersignatureText({ keyId, participantId, receiptHash }));
      const signature = await signEd25519(courierKey.privateJwk, text);
      const signed = { reservationId, number: 2, receiptHash, keyId, signature };
      const request = create(CountersignReceiptRequestSchema, { requestId: randomUUID(), ...signed });
      const hasDied = await dies(countersign(request, courier));
      const answer = await steady.countersign(request, courier);
      expect(await steady.countersign(request, courier)).toEqual(answer);
      expect(answer.receipt).toEqual((await receiptsOf(await steady.allocator.events.chain(reservationId)))[2]);
      expect(await actsOf(steady.allocator, reservationId)).toEqual(["RESERVED", "DEPOSITED", "COUNTERSIGNED"]);
      const again = create(CountersignReceiptRequestSchema, { requestId: randomUUID(), ...signed });
      await expect(steady.countersign(again, courier)).rejects.toMatchObject({ reason: "ALREADY_COUNTERSIGNED" });
      return hasDied;
    });
  });
});
