import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { countersignatureText, generateKeyPair, signEd25519, verifyChain } from "@petak/credential";
import {
  ConfirmRequestSchema,
  type ConfirmResponse,
  type CountersignReceiptRequest,
  CountersignReceiptRequestSchema,
  GetCustodyChainResponseSchema,
  type Reservation,
  Role,
} from "@petak/protocol";
import type { Records } from "@petak/records";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { signingKey } from "../../secrets/issuer-epochs.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { openReservationWorld, type ReservationWorld } from "../reservation/testing/reservation-world.ts";
import { countersignReceipt } from "./countersign-receipt.ts";
import { receiptsOf } from "./receipts/receipts-of.ts";

const redis = useRedis();
const courier = testCaller(Role.COURIER);
const courierKey = await generateKeyPair();
const keys = { findKey: () => ({ ...courier, publicKey: courierKey.publicKey }) };

let world: ReservationWorld;
let steady: ReturnType<typeof gatewayOver>;
let siteId: string;

function gatewayOver(connection: RedisConnection) {
  const gateway = world.over(connection);
  const { records } = gateway;
  const { events } = records;
  const dependencies = { changes: createReservationChanges(records, world.receipts), events, keys, now: world.clock.now };
  return {
    ...gateway,
    countersign: (request: CountersignReceiptRequest) => countersignReceipt(dependencies, request, courier),
  };
}

beforeEach(async () => {
  world = await openReservationWorld(redis, courier);
  steady = gatewayOver(world.connection);
  siteId = await world.putSite(1000);
});

/** Makes a reservation whose parcel was deposited. */
async function deposited(): Promise<string> {
  const { reservationId } = await steady.reserve(siteId);
  await steady.confirm(reservationId);
  await steady.deposit(reservationId);
  return reservationId;
}

/** The acts of a chain. Expects that the chain verifies. */
async function actsOf(records: Records, reservationId: string): Promise<string[]> {
  const events = await records.events.chain(reservationId);
  const reservation = (await records.reservations.find(reservationId)) as Reservation;
  const chain = create(GetCustodyChainResponseSchema, { reservation, events, receipts: await receiptsOf(events) });
  const { faults, links } = await verifyChain(chain, { issuerKeys: [signingKey(world.secrets.issuerEpochs(), world.clock.now())] });
  expect(faults).toEqual([]);
  return links.map(({ claims }) => claims.act);
}

describe("a receipt, wherever the gateway dies", () => {
  it("is made once for a confirmation, and the response has it", async () => {
    await atEveryDeath({ connection: world.connection, commandsMin: 3 }, async (dying) => {
      const { reservationId } = await steady.reserve(siteId);
      const request = create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId });
      const hasDied = await dies(gatewayOver(dying).service.confirm(request, world.context));
      const { reservation } = (await steady.service.confirm(request, world.context)) as ConfirmResponse;
      expect(reservation?.chain?.length).toBe(1);
      expect(await steady.records.reservations.find(reservation?.reservationId ?? "")).toEqual(reservation);
      expect(await actsOf(steady.records, reservation?.reservationId ?? "")).toEqual(["RESERVED"]);
      return hasDied;
    });
  });

  it("is countersigned once, with one response", async () => {
    await atEveryDeath({ connection: world.connection, commandsMin: 3 }, async (dying) => {
      const reservationId = await deposited();
      const [, receipt] = await receiptsOf(await steady.records.events.chain(reservationId));
      const { keyId, participantId } = courier;
      const receiptHash = receipt?.hash ?? "";
      const text = new TextEncoder().encode(countersignatureText({ keyId, participantId, receiptHash }));
      const signature = await signEd25519(courierKey.privateJwk, text);
      const signed = { reservationId, number: 2, receiptHash, keyId, signature };
      const request = create(CountersignReceiptRequestSchema, { requestId: randomUUID(), ...signed });
      const hasDied = await dies(gatewayOver(dying).countersign(request));
      const answer = await steady.countersign(request);
      expect(await steady.countersign(request)).toEqual(answer);
      expect(answer.receipt).toEqual((await receiptsOf(await steady.records.events.chain(reservationId)))[2]);
      expect(await actsOf(steady.records, reservationId)).toEqual(["RESERVED", "DEPOSITED", "COUNTERSIGNED"]);
      const again = create(CountersignReceiptRequestSchema, { requestId: randomUUID(), ...signed });
      await expect(steady.countersign(again)).rejects.toMatchObject({ reason: "ALREADY_COUNTERSIGNED" });
      return hasDied;
    });
  });
});
