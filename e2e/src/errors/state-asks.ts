import { randomUUID } from "node:crypto";
import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  CancellationReason,
  CorrectionReason,
  CustodyService,
  DoubtOutcome,
  type Reason,
  ReservationService,
  type ReservationState,
} from "@petak/protocol";
import { origin } from "../testing/world.ts";

/** The states that a reservation can be found in. */
export const stateNames = [
  "QUEUED",
  "REJECTED",
  "HELD",
  "EXPIRED",
  "CONFIRMED",
  "NO_SHOW",
  "CANCELLED",
  "DEPOSITED",
  "RECALLED",
  "COLLECTED",
  "IN_DOUBT",
] as const satisfies (keyof typeof ReservationState)[];
export type StateName = (typeof stateNames)[number];

/** Who asks: the courier that made the reservation and the operator of its site, another of each, the administrator, an agent's key and a page's. */
export const askers = ["courier", "operator", "stranger", "rival", "admin", "agent", "page"] as const;
export type Asker = (typeof askers)[number];

/** What is asked about. */
export interface AskedAbout {
  reservationId: string;
  siteId: string;
  /** An access token to collect it, where one could be issued. */
  accessToken: string;
  /** A bundle of which it is all. Empty where it is in none. */
  bundleId: string;
  nowMs: number;
  holderPublicKey: Uint8Array<ArrayBuffer>;
}

/** Something that may be asked of a reservation or a bundle. */
export interface Ask {
  method: DescMethod;
  message(about: AskedAbout): Message;
  /** Whether it is about a reservation that is alone in a bundle, and not about one that is in none. Default false. */
  ofBundle?: boolean;
  /** Who may ask, each with the states in which even they may not. */
  refusedIn: Partial<Record<Asker, readonly StateName[]>>;
  /** Why those who may are refused. */
  reason: Reason;
  /** What the refusal says beside the reservation, by the state in which it is, and by that of its record where the clock is ahead of that. */
  metadata(state: StateName, onRecord?: StateName): Record<string, string>;
  /** Why the others are refused, whatever the state. */
  others: Record<Exclude<Asker, "agent" | "page">, Reason>;
  /** The states that nothing which could be asked about comes to. Default: none. */
  never?: readonly StateName[];
}

const over = ["REJECTED", "EXPIRED", "NO_SHOW", "CANCELLED", "RECALLED", "COLLECTED"] as const;
const waiting = ["QUEUED", "REJECTED"] as const;
/** States of what was never confirmed, so that no credential was ever issued for it. */
const unconfirmed = [...waiting, "HELD", "EXPIRED"] as const;
const beforeDeposit = ["QUEUED", "HELD", "CONFIRMED"] as const;

const not = (reason: Reason) => ({ courier: reason, operator: reason, stranger: reason, rival: reason, admin: reason });
const parties = not("RESERVATION_NOT_FOUND");
const courierRole = { ...parties, operator: "ROLE_REQUIRED", rival: "ROLE_REQUIRED", admin: "ROLE_REQUIRED" } as const;
const operatorRole = { ...parties, courier: "ROLE_REQUIRED", stranger: "ROLE_REQUIRED", admin: "ROLE_REQUIRED" } as const;
const bundleParties = not("BUNDLE_NOT_FOUND");

function except(...allowed: StateName[]): StateName[] {
  return stateNames.filter((state) => !allowed.includes(state));
}

/** What is said of an ask beside its method and message. Default: anybody else finds no reservation, and an illegal state is why one is refused. */
type AskFacts = Omit<Ask, "method" | "message" | "reason" | "metadata" | "others"> & Partial<Pick<Ask, "others" | "reason" | "metadata">>;

/** An ask whose message gets a request id of its own each time, where the method has one. */
function ask<Method extends DescMethod>(
  method: Method,
  message: (about: AskedAbout) => MessageInitShape<Method["input"]>,
  facts: AskFacts,
): Ask {
  const { input } = method as DescMethod;
  const requestId = () => ("requestId" in input.field ? { requestId: randomUUID() } : {});
  return {
    method,
    message: (about) => create(input, { ...requestId(), ...message(about) } as MessageInitShape<typeof input>),
    reason: "ILLEGAL_STATE",
    metadata: () => ({}),
    others: parties,
    ...facts,
  };
}

/** An ask about a bundle by its own id. */
function askOfBundle<Method extends DescMethod>(
  method: Method,
  message: (about: AskedAbout) => MessageInitShape<Method["input"]>,
  facts: AskFacts,
): Ask {
  return ask(method, message, { ofBundle: true, never: waiting, others: bundleParties, ...facts });
}

const theReservation = ({ reservationId }: AskedAbout) => ({ reservationId });
const itAlone = ({ reservationId }: AskedAbout) => ({ reservationIds: [reservationId] });
const theToken = ({ accessToken }: AskedAbout) => ({ accessToken });
const issue = (act: Act) => (about: AskedAbout) => ({ ...theReservation(about), act });
const elsewhere = (about: AskedAbout) => ({
  ...theReservation(about),
  reason: CancellationReason.REROUTED,
  place: { case: "nearest" as const, value: { origin } },
});
const anyHash = "A".repeat(43);

const illegal = (wanted: string) => (state: StateName) => ({ state, wanted });

const { confirm, extend, cancel, redirect, resolveDoubt, getReservation, issueCredential } = ReservationService.method;
const { delegateCredential, revokeCredential, putBundle, getBundle, issueBundleCredential } = ReservationService.method;
const { getCustodyChain, correctEvents, countersignReceipt } = CustodyService.method;

/** Whatever can be asked about a reservation or a bundle by its id, with who is refused it in which state and why. */
export const asks: Readonly<Record<string, Ask>> = {
  confirm: ask(confirm, theReservation, { refusedIn: { courier: except("HELD") }, metadata: illegal("CONFIRMED") }),
  extend: ask(extend, (about) => ({ ...theReservation(about), until: timestampFromMs(about.nowMs + 86_400_000) }), {
    refusedIn: { courier: except(...beforeDeposit, "DEPOSITED"), operator: except("DEPOSITED") },
    // It is to stay in its state.
    metadata: (state, onRecord = state) => ({ state, wanted: onRecord }),
  }),
  cancel: ask(cancel, (about) => ({ ...theReservation(about), reason: CancellationReason.OTHER }), {
    refusedIn: { courier: except(...beforeDeposit), operator: except(...beforeDeposit) },
    metadata: illegal("CANCELLED"),
  }),
  redirect: ask(redirect, elsewhere, {
    refusedIn: { courier: except(...beforeDeposit) },
    metadata: illegal("CANCELLED"),
    others: courierRole,
  }),
  "redirect under another policy": ask(redirect, (about) => ({ ...elsewhere(about), overflowPolicy: { maxDistanceM: 50_000 } }), {
    // What was declared in advance is a merchant's to change, and nobody here is one.
    refusedIn: {},
    others: not("ROLE_REQUIRED"),
  }),
  ...Object.fromEntries(
    (
      [
        [DoubtOutcome.COLLECTED, "COLLECTED"],
        [DoubtOutcome.RECALLED, "RECALLED"],
        [DoubtOutcome.NO_PARCEL, "NO_SHOW"],
      ] as const
    ).map(([outcome, wanted]) => [
      `resolve a doubt as ${wanted}`,
      ask(resolveDoubt, (about) => ({ ...theReservation(about), outcome }), {
        refusedIn: { operator: except("IN_DOUBT") },
        metadata: illegal(wanted),
        others: operatorRole,
      }),
    ]),
  ),
  get: ask(getReservation, theReservation, { refusedIn: { courier: [], operator: [] } }),
  deposit: ask(issueCredential, issue(Act.DEPOSIT), { refusedIn: { courier: except("CONFIRMED") }, metadata: illegal("DEPOSITED") }),
  collect: ask(issueCredential, issue(Act.COLLECT), {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED") },
    metadata: illegal("COLLECTED"),
  }),
  recall: ask(issueCredential, (about) => ({ ...issue(Act.RECALL)(about), holderPublicKey: about.holderPublicKey }), {
    refusedIn: { courier: except("DEPOSITED") },
    metadata: illegal("RECALLED"),
  }),
  delegate: ask(delegateCredential, theToken, {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...unconfirmed) },
    metadata: illegal("COLLECTED"),
    never: unconfirmed,
  }),
  revoke: ask(
    revokeCredential,
    ({ reservationId }) => ({ subject: { case: "reservationId" as const, value: reservationId }, credentialHash: anyHash, pin: true }),
    { refusedIn: { courier: except("CONFIRMED", "DEPOSITED", "IN_DOUBT") }, metadata: illegal("COLLECTED") },
  ),
  "revoke what opens a site": ask(
    revokeCredential,
    ({ siteId }) => ({ subject: { case: "siteId" as const, value: siteId }, credentialHash: anyHash }),
    // It is about no reservation, and so refused to the same whatever the state.
    { refusedIn: { operator: [] }, others: { ...not("ROLE_REQUIRED"), operator: "SITE_NOT_FOUND", rival: "SITE_NOT_FOUND" } },
  ),
  bundle: ask(putBundle, itAlone, { refusedIn: { courier: except("HELD", "CONFIRMED", "DEPOSITED") }, metadata: illegal("COLLECTED") }),
  "bundle what another bundle has": ask(putBundle, itAlone, {
    ofBundle: true,
    never: waiting,
    // What is over may be named by another bundle and cannot join it any more.
    refusedIn: { courier: ["HELD", "CONFIRMED", "DEPOSITED", "IN_DOUBT"] },
    reason: "BUNDLE_MISMATCH",
    metadata: () => ({ mismatch: "OTHER_BUNDLE" }),
  }),
  "bundle what is over in another bundle": ask(putBundle, itAlone, {
    ofBundle: true,
    never: ["QUEUED", "REJECTED", "HELD", "CONFIRMED", "DEPOSITED", "IN_DOUBT"],
    refusedIn: { courier: over.filter((state) => state !== "REJECTED") },
    metadata: illegal("COLLECTED"),
  }),
  "say a bundle anew": askOfBundle(putBundle, (about) => ({ ...itAlone(about), bundleId: about.bundleId }), { refusedIn: { courier: [] } }),
  "get a bundle": askOfBundle(getBundle, ({ bundleId }) => ({ bundleId }), { refusedIn: { courier: [], operator: [] } }),
  "collect a bundle": askOfBundle(issueBundleCredential, ({ bundleId }) => ({ bundleId }), {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...waiting) },
    metadata: illegal("COLLECTED"),
  }),
  "delegate a bundle": askOfBundle(delegateCredential, theToken, {
    never: unconfirmed,
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...unconfirmed) },
    metadata: illegal("COLLECTED"),
  }),
  "revoke what opens a bundle": askOfBundle(
    revokeCredential,
    ({ bundleId }) => ({ subject: { case: "bundleId" as const, value: bundleId }, pin: true }),
    { refusedIn: { courier: [] } },
  ),
  "read the chain": ask(getCustodyChain, theReservation, { refusedIn: { courier: [], operator: [] } }),
  "correct what did not happen": ask(
    correctEvents,
    (about) => ({ ...theReservation(about), eventIds: ["evt_none"], reason: CorrectionReason.OTHER }),
    { refusedIn: { operator: stateNames }, reason: "EVENT_NOT_FOUND", metadata: () => ({ event_id: "evt_none" }), others: operatorRole },
  ),
  "countersign the deposit": ask(
    countersignReceipt,
    (about) => ({
      ...theReservation(about),
      number: 2,
      receiptHash: anyHash,
      keyId: "key_test_none",
      signature: new Uint8Array(64),
    }),
    {
      refusedIn: { courier: except("DEPOSITED", "RECALLED", "COLLECTED"), operator: except("DEPOSITED", "RECALLED", "COLLECTED") },
      reason: "RECEIPT_NOT_FOUND",
      metadata: (state) => ({ number: "2", length: (unconfirmed as readonly string[]).includes(state) ? "0" : "1" }),
    },
  ),
};

/** The calls about no reservation or bundle that there is already, each with why no state of one can forbid it. */
export const askedOfNone: Readonly<Record<string, string>> = {
  "DirectoryService/FindNearest": "reads the directory",
  "DirectoryService/GetSite": "reads the directory",
  "DirectoryService/GetAvailability": "reads the directory",
  "DirectoryService/UpsertSites": "is about sites; site-rules.test.ts has what they refuse",
  "DirectoryService/ReportCapacity": "is about sites",
  "DirectoryService/SetDefaultTerms": "is about what is reserved from now on",
  "DirectoryService/RetireSites": "is about sites",
  "ReservationService/Reserve": "makes a reservation",
  "ReservationService/ListReservations": "lists what there is",
  "ReservationService/Batch": "makes calls that have rows of their own: each is tried in a batch too",
  "CustodyService/ListEvents": "reads what has happened",
  "CustodyService/WatchEvents": "reads what has happened",
  "AgentService/Boot": "is about a site",
  "AgentService/Sync": "is about a site",
  "AgentService/ReportEvents": "tells facts, which are never refused",
  "ParticipantService/CreateParticipant": "is about participants",
  "ParticipantService/GetParticipant": "is about participants",
  "ParticipantService/ListParticipants": "is about participants",
  "ParticipantService/RegisterKey": "is about keys",
  "ParticipantService/ListKeys": "is about keys",
  "ParticipantService/RevokeKey": "is about keys",
  "ParticipantService/CreatePublishableKey": "is about keys",
  "WebhookService/CreateEndpoint": "is about webhook endpoints",
  "WebhookService/ListEndpoints": "is about webhook endpoints",
  "WebhookService/GetEndpoint": "is about webhook endpoints",
  "WebhookService/UpdateEndpoint": "is about webhook endpoints",
  "WebhookService/RotateEndpointKey": "is about webhook endpoints",
  "WebhookService/TestEndpoint": "is about webhook endpoints",
  "WebhookService/ReplayEvents": "is about webhook endpoints",
  "WebhookService/DeleteEndpoint": "is about webhook endpoints",
};
