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

/** The states in which a reservation can be found. */
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

/**
 * The callers: the courier that made the reservation, the operator of its site, another of each, the administrator, an agent's key and a
 * publishable key.
 */
export const requesters = ["courier", "operator", "stranger", "rival", "admin", "agent", "page"] as const;
export type Requester = (typeof requesters)[number];

/** The subject of an attempt. */
export interface AttemptSubject {
  reservationId: string;
  siteId: string;
  /** An access token to collect it, if one could be issued. */
  accessToken: string;
  /** A bundle with this reservation alone. Empty if it is in none. */
  bundleId: string;
  nowMs: number;
  holderPublicKey: Uint8Array<ArrayBuffer>;
}

/** A call about a reservation or a bundle. */
export interface Attempt {
  method: DescMethod;
  message(about: AttemptSubject): Message;
  /** Whether the reservation must be alone in a bundle instead of in none. Default false. */
  ofBundle?: boolean;
  /** The callers that are permitted, each with the states in which even they are refused. */
  refusedIn: Partial<Record<Requester, readonly StateName[]>>;
  /** The reason for which permitted callers are refused. */
  reason: Reason;
  /** The refusal's metadata besides the reservation, by the state and by the stored state if the clock is ahead of that. */
  metadata(state: StateName, onRecord?: StateName): Record<string, string>;
  /** The reason for which the other callers are refused, in every state. */
  others: Record<Exclude<Requester, "agent" | "page">, Reason>;
  /** The states that no subject of this attempt can reach. Default: none. */
  never?: readonly StateName[];
}

const ended = ["REJECTED", "EXPIRED", "NO_SHOW", "CANCELLED", "RECALLED", "COLLECTED"] as const;
const waiting = ["QUEUED", "REJECTED"] as const;
/** States of reservations that were never confirmed, so that no credential was ever issued for them. */
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

/**
 * The facts of an attempt besides its method and message. Default: other callers find no reservation, and the reason of refusals is
 * ILLEGAL_STATE.
 */
type AttemptFacts = Omit<Attempt, "method" | "message" | "reason" | "metadata" | "others"> &
  Partial<Pick<Attempt, "others" | "reason" | "metadata">>;

/** An attempt whose message gets a new request id each time, if the method has one. */
function attempt<Method extends DescMethod>(
  method: Method,
  message: (about: AttemptSubject) => MessageInitShape<Method["input"]>,
  facts: AttemptFacts,
): Attempt {
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

/** An attempt that names a bundle by its id. */
function attemptOfBundle<Method extends DescMethod>(
  method: Method,
  message: (about: AttemptSubject) => MessageInitShape<Method["input"]>,
  facts: AttemptFacts,
): Attempt {
  return attempt(method, message, { ofBundle: true, never: waiting, others: bundleParties, ...facts });
}

const theReservation = ({ reservationId }: AttemptSubject) => ({ reservationId });
const itAlone = ({ reservationId }: AttemptSubject) => ({ reservationIds: [reservationId] });
const theToken = ({ accessToken }: AttemptSubject) => ({ accessToken });
const issue = (act: Act) => (about: AttemptSubject) => ({ ...theReservation(about), act });
const elsewhere = (about: AttemptSubject) => ({
  ...theReservation(about),
  reason: CancellationReason.REROUTED,
  place: { case: "nearest" as const, value: { origin } },
});
const anyHash = "A".repeat(43);

const illegal = (wanted: string) => (state: StateName) => ({ state, wanted });

const { confirm, extend, cancel, redirect, resolveDoubt, getReservation, issueCredential } = ReservationService.method;
const { delegateCredential, revokeCredential, putBundle, getBundle, issueBundleCredential } = ReservationService.method;
const { getCustodyChain, correctEvents, countersignReceipt } = CustodyService.method;

/** Every call that names a reservation or a bundle by its id, with who is refused it in which state and why. */
export const attempts: Readonly<Record<string, Attempt>> = {
  confirm: attempt(confirm, theReservation, { refusedIn: { courier: except("HELD") }, metadata: illegal("CONFIRMED") }),
  extend: attempt(extend, (about) => ({ ...theReservation(about), until: timestampFromMs(about.nowMs + 86_400_000) }), {
    refusedIn: { courier: except(...beforeDeposit, "DEPOSITED"), operator: except("DEPOSITED") },
    // The attempt keeps the state.
    metadata: (state, onRecord = state) => ({ state, wanted: onRecord }),
  }),
  cancel: attempt(cancel, (about) => ({ ...theReservation(about), reason: CancellationReason.OTHER }), {
    refusedIn: { courier: except(...beforeDeposit), operator: except(...beforeDeposit) },
    metadata: illegal("CANCELLED"),
  }),
  redirect: attempt(redirect, elsewhere, {
    refusedIn: { courier: except(...beforeDeposit) },
    metadata: illegal("CANCELLED"),
    others: courierRole,
  }),
  "redirect under another policy": attempt(redirect, (about) => ({ ...elsewhere(about), overflowPolicy: { maxDistanceM: 50_000 } }), {
    // Only a merchant may change the declared policy, and no caller here is one.
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
      attempt(resolveDoubt, (about) => ({ ...theReservation(about), outcome }), {
        refusedIn: { operator: except("IN_DOUBT") },
        metadata: illegal(wanted),
        others: operatorRole,
      }),
    ]),
  ),
  get: attempt(getReservation, theReservation, { refusedIn: { courier: [], operator: [] } }),
  deposit: attempt(issueCredential, issue(Act.DEPOSIT), { refusedIn: { courier: except("CONFIRMED") }, metadata: illegal("DEPOSITED") }),
  collect: attempt(issueCredential, issue(Act.COLLECT), {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED") },
    metadata: illegal("COLLECTED"),
  }),
  recall: attempt(issueCredential, (about) => ({ ...issue(Act.RECALL)(about), holderPublicKey: about.holderPublicKey }), {
    refusedIn: { courier: except("DEPOSITED") },
    metadata: illegal("RECALLED"),
  }),
  delegate: attempt(delegateCredential, theToken, {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...unconfirmed) },
    metadata: illegal("COLLECTED"),
    never: unconfirmed,
  }),
  revoke: attempt(
    revokeCredential,
    ({ reservationId }) => ({ subject: { case: "reservationId" as const, value: reservationId }, credentialHash: anyHash, pin: true }),
    { refusedIn: { courier: except("CONFIRMED", "DEPOSITED", "IN_DOUBT") }, metadata: illegal("COLLECTED") },
  ),
  "revoke a service credential": attempt(
    revokeCredential,
    ({ siteId }) => ({ subject: { case: "siteId" as const, value: siteId }, credentialHash: anyHash }),
    // It concerns no reservation, so the same callers are refused in every state.
    { refusedIn: { operator: [] }, others: { ...not("ROLE_REQUIRED"), operator: "SITE_NOT_FOUND", rival: "SITE_NOT_FOUND" } },
  ),
  bundle: attempt(putBundle, itAlone, { refusedIn: { courier: except("HELD", "CONFIRMED", "DEPOSITED") }, metadata: illegal("COLLECTED") }),
  "bundle a member of another bundle": attempt(putBundle, itAlone, {
    ofBundle: true,
    never: waiting,
    // An ended reservation may be named by another bundle, but cannot join it any more.
    refusedIn: { courier: ["HELD", "CONFIRMED", "DEPOSITED", "IN_DOUBT"] },
    reason: "BUNDLE_MISMATCH",
    metadata: () => ({ mismatch: "OTHER_BUNDLE" }),
  }),
  "bundle an ended member of another bundle": attempt(putBundle, itAlone, {
    ofBundle: true,
    never: ["QUEUED", "REJECTED", "HELD", "CONFIRMED", "DEPOSITED", "IN_DOUBT"],
    refusedIn: { courier: ended.filter((state) => state !== "REJECTED") },
    metadata: illegal("COLLECTED"),
  }),
  "put the same bundle again": attemptOfBundle(putBundle, (about) => ({ ...itAlone(about), bundleId: about.bundleId }), {
    refusedIn: { courier: [] },
  }),
  "get a bundle": attemptOfBundle(getBundle, ({ bundleId }) => ({ bundleId }), { refusedIn: { courier: [], operator: [] } }),
  "collect a bundle": attemptOfBundle(issueBundleCredential, ({ bundleId }) => ({ bundleId }), {
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...waiting) },
    metadata: illegal("COLLECTED"),
  }),
  "delegate a bundle": attemptOfBundle(delegateCredential, theToken, {
    never: unconfirmed,
    refusedIn: { courier: except("CONFIRMED", "DEPOSITED", ...unconfirmed) },
    metadata: illegal("COLLECTED"),
  }),
  "revoke a bundle's PIN": attemptOfBundle(
    revokeCredential,
    ({ bundleId }) => ({ subject: { case: "bundleId" as const, value: bundleId }, pin: true }),
    { refusedIn: { courier: [] } },
  ),
  "read the chain": attempt(getCustodyChain, theReservation, { refusedIn: { courier: [], operator: [] } }),
  "correct an unknown event": attempt(
    correctEvents,
    (about) => ({ ...theReservation(about), eventIds: ["evt_none"], reason: CorrectionReason.OTHER }),
    { refusedIn: { operator: stateNames }, reason: "EVENT_NOT_FOUND", metadata: () => ({ event_id: "evt_none" }), others: operatorRole },
  ),
  "countersign the deposit": attempt(
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

/** The calls that name no existing reservation or bundle, each with the reason why no state forbids it. */
export const notAttempted: Readonly<Record<string, string>> = {
  "DirectoryService/FindNearest": "reads the directory",
  "DirectoryService/GetSite": "reads the directory",
  "DirectoryService/ListSites": "reads the directory",
  "DirectoryService/GetOperator": "reads the directory",
  "DirectoryService/GetAvailability": "reads the directory",
  "DirectoryService/CheckFit": "reads the directory, and signs what it read",
  "DirectoryService/UpsertSites": "is about sites; site-rules.test.ts tests its refusals",
  "DirectoryService/ReportCapacity": "is about sites",
  "DirectoryService/SetDefaultTerms": "is about later reservations",
  "DirectoryService/RetireSites": "is about sites",
  "ReservationService/Reserve": "makes a reservation",
  "ReservationService/ListReservations": "lists reservations",
  "ReservationService/GetManifest": "lists what is to be done at sites",
  "ReservationService/Batch": "makes calls that have rows of their own: each is also tried in a batch",
  "CustodyService/ListEvents": "reads what has happened",
  "CustodyService/WatchEvents": "reads what has happened",
  "AgentService/Enrol": "is about keys",
  "AgentService/Boot": "is about a site",
  "AgentService/Sync": "is about a site",
  "AgentService/ResolveCode": "is about a site",
  "AgentService/WatchCommands": "is about a site",
  "AuditService/ListAuditEntries": "is about administrative changes",
  "CommandService/SendCommand": "is about devices; commands.test.ts tests its refusals",
  "CommandService/ApproveCommand": "is about devices",
  "CommandService/GetCommand": "is about devices",
  "CommandService/ListCommands": "is about devices",
  "CommandService/AllowCommandKey": "is about keys",
  "CommandService/ListCommandKeys": "is about keys",
  "AgentService/ReportEvents": "reports facts, which are never refused",
  "ParticipantService/CreateParticipant": "is about participants",
  "ParticipantService/GetParticipant": "is about participants",
  "ParticipantService/ListParticipants": "is about participants",
  "ParticipantService/RegisterKey": "is about keys",
  "ParticipantService/ListKeys": "is about keys",
  "ParticipantService/RevokeKey": "is about keys",
  "ParticipantService/CreateEnrolmentCode": "is about keys",
  "ParticipantService/ListEnrolments": "is about keys",
  "ParticipantService/RevokeEnrolment": "is about keys",
  "ParticipantService/TakeOverSite": "is about keys",
  "ParticipantService/RotatePins": "is about keys",
  "ParticipantService/ListReportsKeptApart": "is about keys",
  "ParticipantService/CreatePublishableKey": "is about keys",
  "ParticipantService/SetOperatorLinks": "is about participants",
  "ParticipantService/SetParticipantLimits": "is about participants",
  "ParticipantService/GetLimits": "is about participants",
  "WebhookService/CreateEndpoint": "is about webhook endpoints",
  "WebhookService/ListEndpoints": "is about webhook endpoints",
  "WebhookService/GetEndpoint": "is about webhook endpoints",
  "WebhookService/UpdateEndpoint": "is about webhook endpoints",
  "WebhookService/RotateEndpointKey": "is about webhook endpoints",
  "WebhookService/TestEndpoint": "is about webhook endpoints",
  "WebhookService/ReplayEvents": "is about webhook endpoints",
  "WebhookService/DeleteEndpoint": "is about webhook endpoints",
};
