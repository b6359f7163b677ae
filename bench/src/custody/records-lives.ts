import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, regionOfCell } from "@petak/allocator";
import {
  type Event,
  EventSchema,
  EventType,
  newEventId,
  PartyKind,
  ProofKind,
  type Reservation,
  ReservationSchema,
  ReservationState,
} from "@petak/protocol";
import { createRecords, firstEntry, type StoredSite, type StoredTransition } from "@petak/records";
import { type HoldCandidate, storedCandidate } from "@petak/records/testing/candidates";
import { claimStoreCode, connectRedis, createKeys } from "@petak/redis";
import { makeSite } from "@petak/testkit";
import { holdRequest } from "../allocator/ours/holds.ts";
import { newOrder } from "../allocator/ours/orders.ts";
import { eventsOfLife } from "./levels.ts";
import { runLives } from "./lives.ts";
import { pollListener } from "./poll-listener.ts";

/**
 * Runs whole lives with the records as a library, with every command that the gateway sends for them and nothing else of the gateway:
 * `records-lives.ts <socket> <clients> <seconds> <run>`. Prints a {@link LifeRun} as JSON. Each run has its own sites.
 */

const [socketPath = "", clients = "1", seconds = "1", run = "0"] = process.argv.slice(2);
const redis = connectRedis({ socketPath }, { onError: (error) => process.stderr.write(`${error.message}\n`) });
await redis.connect();
const prefix = `petak-${run}`;
const storeCode = await claimStoreCode(redis, createKeys(prefix));
const records = createRecords({ redis, prefix, storeCode });
const place = { latitude: 1.3, longitude: 103.8 };
const region = regionOfCell(indexCellOf(place));

/** A client's site, and its agent's reports. */
interface Own {
  siteId: string;
  candidate: HoldCandidate;
  sequence: number;
  /** The hash of its last report. */
  lastHash: Uint8Array;
}

const own = await Promise.all(
  Array.from({ length: Number(clients) }, async (_, index): Promise<Own> => {
    const site = makeSite({ ...place, ref: `bench-${index}`, classes: [["L", 400, 200, 500, 20_000, 1000]] });
    const { siteId } = await records.sites.put(site, 0);
    const stored = (await records.sites.find(siteId)) as StoredSite;
    return { siteId, candidate: storedCandidate(stored, [{ index: 0, sizeClassId: "L" }]), sequence: 0, lastHash: new Uint8Array(32) };
  }),
);

function eventOf(type: EventType, before: Reservation, after: Reservation, atMs: number, sequence?: number): Event {
  return create(EventSchema, {
    eventId: newEventId(region),
    schemaVersion: 1,
    type,
    reservationId: after.reservationId,
    siteId: after.siteId,
    operatorId: after.operatorId,
    participantId: after.participantId,
    actor: { kind: sequence === undefined ? PartyKind.PARTICIPANT : PartyKind.AGENT, participantId: after.participantId },
    occurredAt: timestampFromMs(atMs),
    recordedAt: timestampFromMs(atMs),
    stateBefore: before.state,
    stateAfter: after.state,
    partnerReference: after.partnerReference,
    isTest: true,
    reservationRevision: after.revision,
    ...(sequence !== undefined && {
      proof: {
        kind: ProofKind.ACCESS_TOKEN,
        credentialHash: "rX8mC3sWm3m0tGq3cE2Qf0a3m8dV0cXyPpQmS0b1n2A",
        deviceSequence: BigInt(sequence),
      },
    }),
  });
}

/** Reads a reservation and applies a transition as the gateway does. */
async function apply(
  { siteId }: Own,
  reservationId: string,
  change: Partial<Reservation>,
  more: Partial<StoredTransition> & { type: EventType; sequence?: number },
): Promise<void> {
  const atMs = Date.now();
  const { type, sequence, ...transition } = more;
  const [before, stored] = await Promise.all([records.reservations.find(reservationId), records.sites.find(siteId)]);
  if (before === undefined || stored === undefined) throw new Error(`${reservationId} is gone`);
  const after: Reservation = { ...before, ...change, revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
  const outcome = await records.reservations.apply({
    heldChange: 0,
    occupiedChange: 0,
    ...transition,
    ...(transition.response && { response: { ...transition.response, bytes: toBinary(ReservationSchema, after) } }),
    before,
    after,
    site: stored,
    movedAtMs: atMs,
    events: [eventOf(type, before, after, atMs, sequence)],
  });
  if (outcome.tag !== "done") throw new Error(`a transition failed: ${outcome.tag}`);
}

async function live(client: number): Promise<void> {
  const party = own[client] as Own;
  const order = newOrder(place);
  const held = await records.holds.take(holdRequest(order, region), [party.candidate], async () => party.candidate);
  if (held.tag !== "held") throw new Error(`a parcel was not held: ${held.tag}`);
  const { reservationId, participantId } = held.reservation;

  const { requestId } = newOrder(place);
  const fingerprint = Buffer.alloc(16, 1);
  await records.requestIds.claim(participantId, requestId, fingerprint);
  const depositUntilMs = Date.now() + 86_400_000;
  await apply(
    party,
    reservationId,
    { state: ReservationState.CONFIRMED, depositUntil: timestampFromMs(depositUntilMs) },
    {
      type: EventType.RESERVATION_CONFIRMED,
      deadlineMs: depositUntilMs,
      isAllowed: true,
      response: { participantId, requestId, fingerprint, bytes: new Uint8Array() },
    },
  );

  // An agent of this release names the hash of the report before it; only their size counts here.
  const report = () => {
    const previousHash = party.lastHash;
    party.lastHash = randomBytes(32);
    const fence = { nonce: new Uint8Array(), inChargeKeyId: "" };
    return { siteId: party.siteId, keyId: `key_test_${client}`, sequence: ++party.sequence, hash: party.lastHash, previousHash, fence };
  };
  const depositedMs = Date.now();
  const first = report();
  await apply(
    party,
    reservationId,
    {
      state: ReservationState.DEPOSITED,
      compartmentId: "A1",
      depositedAt: timestampFromMs(depositedMs),
      collectUntil: timestampFromMs(depositedMs + 259_200_000),
    },
    {
      type: EventType.PARCEL_DEPOSITED,
      sequence: first.sequence,
      report: first,
      heldChange: -1,
      occupiedChange: 1,
      deadlineMs: depositedMs + 259_200_000,
      isAllowed: true,
    },
  );
  const second = report();
  await apply(
    party,
    reservationId,
    { state: ReservationState.COLLECTED, collectedAt: timestampFromMs(Date.now()) },
    {
      type: EventType.PARCEL_COLLECTED,
      sequence: second.sequence,
      report: second,
      occupiedChange: -1,
      deadlineMs: null,
      isAllowed: false,
      pin: null,
    },
  );
}

// A separate connection, so that the listener's reads do not wait behind the clients' commands.
const listening = connectRedis({ socketPath }, { onError: (error) => process.stderr.write(`${error.message}\n`) });
await listening.connect();
const { events } = createRecords({ redis: listening, prefix, storeCode });
let last = firstEntry;
const listener = pollListener(async () => {
  const found = await events.readAfter(region, last, 1000);
  last = found.at(-1)?.entry ?? last;
  return found.map(({ event: { recordedAt } }) => (recordedAt === undefined ? 0 : timestampMs(recordedAt)));
});
const result = await runLives(Number(clients), Number(seconds), listener, eventsOfLife, live);
await listener.close();
for (const { siteId } of own) {
  const { held = -1, occupied = -1 } = (await records.sites.find(siteId))?.counts[0] ?? {};
  if (held !== 0 || occupied !== 0) throw new Error(`site ${siteId} has ${held} held and ${occupied} occupied after all lives have ended`);
}
for (const connection of [redis, listening]) connection.disconnect();
process.stdout.write(`${JSON.stringify(result)}\n`);
