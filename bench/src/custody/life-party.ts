import { randomUUID } from "node:crypto";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createRequestSigner, type RequestSigner } from "@petak/client/node";
import { reportClaims, reportText } from "@petak/credential";
import { Act, DeviceEventSchema, DeviceEventType, ProofKind } from "@petak/protocol";
import type { TestKey } from "@petak/testkit/network";
import { type HttpCaller, openCaller } from "./http-caller.ts";

/** The callers of a gateway of `servers/custody-gateway.ts`, as that script announces them. */
export interface LifeFacts {
  port: number;
  courier: string;
  courierKey: TestKey;
  sites: { siteId: string; latitude: number; longitude: number; authorization: string; key: TestKey }[];
}

interface Reserved {
  reservation: { reservationId: string; siteId: string; state: string };
}

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const reservations = "/petak.v1.ReservationService";
const agents = "/petak.v1.AgentService";

/** A client: a connection, the courier's token, and the site near which its parcels go, whose agent it simulates. */
export interface Party {
  caller: HttpCaller;
  courier: string;
  site: LifeFacts["sites"][number];
  signer: RequestSigner;
  sequence: number;
}

/** Opens the connection of a client to the site with its number. @param traceparent see {@link openCaller} */
export async function openParty({ port, courier, sites }: LifeFacts, index: number, traceparent = ""): Promise<Party> {
  const site = sites[index];
  if (site === undefined) throw new Error(`more clients than sites: ${index}`);
  const caller = await openCaller(port, traceparent);
  const { acknowledgedSequence = "0" } = await caller.call<{ acknowledgedSequence?: string }>(`${agents}/Boot`, site.authorization, {
    siteId: site.siteId,
    software: "bench",
  });
  return { caller, courier, site, signer: createRequestSigner(site.key), sequence: Number(acknowledgedSequence) };
}

function expectThat(isSo: boolean, what: string, answer: unknown): void {
  if (!isSo) throw new Error(`${what}: ${JSON.stringify(answer)}`);
}

/** Holds a place near the client's site, and gives the reservation's id. */
export async function reserve({ caller, courier, site }: Party): Promise<string> {
  const { siteId, latitude, longitude } = site;
  const answer = await caller.call<Reserved>(`${reservations}/Reserve`, courier, {
    requestId: randomUUID(),
    nearest: { origin: { latitude, longitude } },
    parcel,
    // The city includes both sides of the strait.
    requirements: { anyCountry: true },
    partnerReference: "order 2026-11-24/0815",
  });
  const { reservation } = answer;
  expectThat(reservation.siteId === siteId && reservation.state === "RESERVATION_STATE_HELD", "a parcel was not held", answer);
  return reservation.reservationId;
}

/** Confirms a hold. */
export async function confirm({ caller, courier }: Party, reservationId: string): Promise<void> {
  const answer = await caller.call<Reserved>(`${reservations}/Confirm`, courier, { requestId: randomUUID(), reservationId });
  expectThat(answer.reservation.state === "RESERVATION_STATE_CONFIRMED", "a hold was not confirmed", answer);
}

/** Issues the collector's credential. */
export async function issue({ caller, courier }: Party, reservationId: string): Promise<void> {
  const wanted = { requestId: randomUUID(), reservationId, act: "ACT_COLLECT" };
  const answer = await caller.call<{ accessToken?: string }>(`${reservations}/IssueCredential`, courier, wanted);
  expectThat(answer.accessToken !== undefined, "no credential was issued", answer);
}

/** Reports a deposit or a collection, signed as the site's agent does. */
export async function report(party: Party, reservationId: string, type: "DEPOSITED" | "COLLECTED"): Promise<void> {
  party.sequence += 1;
  const { siteId, authorization, key } = party.site;
  const event = create(DeviceEventSchema, {
    sequence: BigInt(party.sequence),
    deviceEventId: randomUUID(),
    type: DeviceEventType[`PARCEL_${type}`],
    occurredAt: timestampFromMs(Date.now()),
    reservationId,
    compartmentId: "A1",
    proofKind: ProofKind.ACCESS_TOKEN,
    credentialHash: "rX8mC3sWm3m0tGq3cE2Qf0a3m8dV0cXyPpQmS0b1n2A",
    act: type === "DEPOSITED" ? Act.DEPOSIT : Act.COLLECT,
  });
  event.signature = await party.signer.sign(reportText(key.keyId, reportClaims(siteId, event)));
  const answer = await party.caller.call<{ acknowledgedSequence: string }>(`${agents}/ReportEvents`, authorization, {
    siteId,
    events: [toJson(DeviceEventSchema, event)],
  });
  expectThat(answer.acknowledgedSequence === String(party.sequence), "a report was not acknowledged", answer);
}
