import { randomUUID } from "node:crypto";
import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair, type RequestSigner } from "@petak/client/node";
import { reportClaims, reportText } from "@petak/credential";
import {
  Act,
  AgentService,
  AuditKind,
  AuditService,
  CancellationReason,
  CommandService,
  ConditionKind,
  CorrectionReason,
  CustodyService,
  DayOfWeek,
  type DeviceEvent,
  DeviceEventSchema,
  DeviceEventType,
  DirectoryService,
  DoubtOutcome,
  EventType,
  Mode,
  OverflowFallback,
  ParcelRequirement,
  ParticipantService,
  ProofKind,
  Purpose,
  ReservationService,
  ReservationState,
  Role,
  SiteKind,
  SiteLifecycle,
  SiteSchema,
  SiteService,
  WebhookService,
} from "@petak/protocol";
import { newRegistration } from "@petak/testkit/network";
import type { Commanding } from "./commanding.ts";
import { enrolmentProof } from "./enrolling.ts";

/** The Authorization headers of the callers of good requests. */
export type Callers = Record<"operator" | "courier" | "admin" | "agent", string>;

/** A valid request in which every field is set that a caller may set. */
export interface GoodRequest {
  method: DescMethod;
  /** A caller who is permitted to make it. */
  by: keyof Callers;
  message: Message;
}

/** The subjects of good requests. */
export interface GoodRequestSubjects {
  origin: { latitude: number; longitude: number };
  parcel: { widthMm: number; heightMm: number; depthMm: number; massG: number };
  /** A site of the operator with an agent. */
  siteId: string;
  /** A site of the operator that may be retired, with one size class `M` of 4 places. */
  retirableSiteId: string;
  /** A site with the key of its agent, to which an epoch was given. */
  copied: { siteId: string; keyId: string };
  operatorId: string;
  courierId: string;
  /** A key of the courier that may be revoked. */
  revocableKeyId: string;
  /** An open code of the operator, and an enrolment that may be revoked. */
  enrolmentCode: string;
  revocableEnrolmentId: string;
  /** Reservations of the courier: held, held, confirmed, held, and in doubt at a site of the operator. */
  toConfirm: string;
  toCancel: string;
  toOpen: string;
  toRedirect: string;
  toResolve: string;
  /** A bundle of the third of these alone, and an access token to collect it. */
  bundleId: string;
  accessToken: string;
  /** Hash of a token of the bundle. */
  bundleCredentialHash: string;
  /** Webhook endpoints of the courier, the second of which may be deleted. */
  webhookEndpointId: string;
  deletableEndpointId: string;
  /** A receipt for the courier to countersign, with its signature. */
  toCountersign: { reservationId: string; number: number; receiptHash: string; keyId: string; signature: Uint8Array<ArrayBuffer> };
  /** A reservation at the operator's site, and some of its events. */
  toCorrect: { reservationId: string; eventIds: string[] };
  /** Requests about commands, see {@link commandingIn}. */
  commanding: Commanding;
  /** The agent's signer. */
  agent: RequestSigner;
  /** The sequence number of the agent's next report. */
  nextSequence: bigint;
  makeUuid?: () => string;
}

/** An address whose name never resolves, so that webhooks reach nobody. */
export const nowhereUrl = "https://hooks.invalid/petak";

/** One good request for each RPC of `petak.v1`. */
export async function makeGoodRequests(subjects: GoodRequestSubjects): Promise<GoodRequest[]> {
  const { origin, siteId, makeUuid = randomUUID } = subjects;
  const parcel = { ...subjects.parcel, ...everyParcelFact };
  const { publicKey, privateJwk } = await generateKeyPair();
  const occurredAt = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 1000 };
  const filters = {
    radiusM: 5000,
    kinds: [SiteKind.PARCEL_TERMINAL],
    operatorIds: [subjects.operatorId],
    excludedOperatorIds: ["par_0000000000000000"],
  };
  const openAt = { seconds: 1_800_000_000n, nanos: 1000 };
  const requirements = {
    countryCodes: ["SG"],
    openAt,
    openWithin: { from: openAt, to: { seconds: 1_800_086_400n }, atLeast: { seconds: 3600n } },
    stepFree: true,
    cardPayment: true,
    refrigerated: true,
    minCentreHeightMm: 100,
    maxCentreHeightMm: 2000,
    accessible: true,
  };
  const { findNearest, getSite, listSites, getOperator, getAvailability, checkFit } = DirectoryService.method;
  const { upsertSites, setDefaultTerms, reportCapacity, retireSites } = DirectoryService.method;
  const { reserve, confirm, extend, cancel, redirect, resolveDoubt, getReservation, listReservations, issueCredential, batch } =
    ReservationService.method;
  const { delegateCredential, revokeCredential, putBundle, getBundle, issueBundleCredential, getManifest } = ReservationService.method;
  const { bundleId, accessToken } = subjects;
  const { listEvents, watchEvents, getCustodyChain, correctEvents, countersignReceipt } = CustodyService.method;
  const { enrol, boot, sync, resolveCode, watchCommands, reportEvents } = AgentService.method;
  const { sendCommand, approveCommand, getCommand, listCommands, allowCommandKey, listCommandKeys } = CommandService.method;
  const { commanding } = subjects;
  const participants = ParticipantService.method;
  const webhooks = WebhookService.method;
  const endpointId = subjects.webhookEndpointId;
  return [
    good(findNearest, "courier", {
      origin,
      parcel,
      purpose: Purpose.DELIVERY,
      limit: 3,
      ...filters,
      requirements,
      countPassedOver: true,
      includeUnknown: true,
      passedOverLimit: 20,
    }),
    good(getSite, "courier", { siteId }),
    good(listSites, "courier", { pageSize: 5, countryCodes: ["SG"], operatorIds: [subjects.operatorId] }),
    good(getOperator, "courier", { operatorId: subjects.operatorId }),
    good(getAvailability, "courier", { siteIds: [siteId] }),
    good(checkFit, "courier", { siteIds: [siteId], parcel, purpose: Purpose.DELIVERY, requirements, includeUnknown: true }),
    good(upsertSites, "operator", { requestId: makeUuid(), sites: [fullSite(origin)] }),
    good(setDefaultTerms, "operator", { requestId: makeUuid(), terms: everyTerm }),
    good(reportCapacity, "operator", {
      requestId: makeUuid(),
      sites: [
        {
          siteId: subjects.retirableSiteId,
          observedAt: occurredAt,
          ttl: { seconds: 60n },
          sizeClasses: [{ sizeClassId: "M", free: 1, occupied: 2, outOfService: 1 }],
        },
      ],
    }),
    good(retireSites, "operator", { requestId: makeUuid(), siteIds: [subjects.retirableSiteId] }),
    good(reserve, "courier", {
      requestId: makeUuid(),
      place: { case: "nearest", value: { origin, ...filters } },
      parcel,
      purpose: Purpose.DELIVERY,
      partnerReference: "order-7",
      holdDuration: { seconds: 600n },
      requirements,
      includeUnknown: true,
      overflowPolicy: {
        maxDistanceM: 2000,
        operatorIds: [subjects.operatorId],
        wait: { seconds: 600n, nanos: 1000 },
        fallback: OverflowFallback.ASK_CONSUMER,
      },
    }),
    good(confirm, "courier", {
      requestId: makeUuid(),
      reservationId: subjects.toConfirm,
      depositWithin: { seconds: 3600n },
      labelCodes: ["00340123450000000018"],
    }),
    good(cancel, "courier", { requestId: makeUuid(), reservationId: subjects.toCancel, reason: CancellationReason.OTHER }),
    good(extend, "courier", { requestId: makeUuid(), reservationId: subjects.toOpen, until: timestampFromMs(Date.now() + 3 * 86_400_000) }),
    good(redirect, "courier", {
      requestId: makeUuid(),
      reservationId: subjects.toRedirect,
      place: { case: "nearest", value: { origin } },
      requirements: { anyCountry: true },
      includeUnknown: true,
      reason: CancellationReason.REROUTED,
    }),
    good(resolveDoubt, "operator", { requestId: makeUuid(), reservationId: subjects.toResolve, outcome: DoubtOutcome.COLLECTED }),
    good(getReservation, "courier", { reservationId: subjects.toOpen }),
    good(listReservations, "courier", {
      states: [ReservationState.CONFIRMED, ReservationState.DEPOSITED],
      siteId,
      purpose: Purpose.DELIVERY,
      partnerReference: "order-7",
      overdue: true,
      deadlineBefore: openAt,
      pageSize: 10,
    }),
    good(issueCredential, "courier", {
      requestId: makeUuid(),
      reservationId: subjects.toOpen,
      act: Act.COLLECT,
      holderPublicKey: publicKey,
    }),
    good(batch, "courier", {
      calls: [
        { call: { case: "reserve", value: { requestId: makeUuid(), place: { case: "nearest", value: { origin } }, parcel } } },
        { call: { case: "confirm", value: { requestId: makeUuid(), reservationId: subjects.toConfirm } } },
        { call: { case: "extend", value: { requestId: makeUuid(), reservationId: subjects.toOpen, until: openAt } } },
        { call: { case: "cancel", value: { requestId: makeUuid(), reservationId: subjects.toCancel, reason: CancellationReason.OTHER } } },
        {
          call: {
            case: "redirect",
            value: {
              requestId: makeUuid(),
              reservationId: subjects.toRedirect,
              place: { case: "nearest", value: { origin } },
              reason: CancellationReason.REROUTED,
            },
          },
        },
        { call: { case: "issueCredential", value: { requestId: makeUuid(), reservationId: subjects.toOpen, act: Act.COLLECT } } },
        { call: { case: "getReservation", value: { reservationId: subjects.toOpen } } },
      ],
    }),
    good(delegateCredential, "courier", {
      requestId: makeUuid(),
      accessToken,
      expiresAt: timestampFromMs(Date.now() + 86_400_000),
      holderPublicKey: publicKey,
    }),
    good(revokeCredential, "courier", {
      requestId: makeUuid(),
      subject: { case: "bundleId", value: bundleId },
      credentialHash: subjects.bundleCredentialHash,
      pin: true,
    }),
    good(putBundle, "courier", { requestId: makeUuid(), bundleId, reservationIds: [subjects.toOpen] }),
    good(getBundle, "courier", { bundleId }),
    good(issueBundleCredential, "courier", { requestId: makeUuid(), bundleId, withPin: true }),
    good(getManifest, "courier", { siteIds: [siteId], dueBefore: openAt, pageSize: 10 }),
    good(listEvents, "courier", { pageSize: 10, wait: { seconds: 0n, nanos: 1 }, fromNow: true }),
    good(watchEvents, "courier", { fromNow: true }),
    good(getCustodyChain, "courier", { reservationId: subjects.toOpen }),
    good(listEvents, "courier", { range: { fromNumber: 1n, toNumber: 20n, from: openAt, to: { seconds: 7_000_000_000n, nanos: 0 } } }),
    good(watchEvents, "operator", { fromNumber: 1n }),
    good(correctEvents, "operator", { requestId: makeUuid(), ...subjects.toCorrect, reason: CorrectionReason.WRONG_TIME, occurredAt }),
    good(countersignReceipt, "courier", { requestId: makeUuid(), ...subjects.toCountersign }),
    good(enrol, "agent", {
      code: subjects.enrolmentCode,
      publicKey,
      possessionProof: await enrolmentProof(privateJwk, subjects.enrolmentCode),
    }),
    good(boot, "agent", { siteId, software: "test 1", lastSequence: 0n, agentTime: occurredAt }),
    good(sync, "agent", { siteId, knownVersion: 0n }),
    good(resolveCode, "agent", { siteId, code: "JD014600003SG" }),
    good(watchCommands, "agent", { siteId }),
    good(sendCommand, "operator", commanding.toSend),
    good(approveCommand, "operator", commanding.toApprove),
    good(getCommand, "operator", { commandId: commanding.toApprove.commandId }),
    good(listCommands, "operator", { siteId }),
    good(allowCommandKey, "operator", commanding.toAllow),
    good(listCommandKeys, "operator", {}),
    good(reportEvents, "agent", { siteId, alarms: [ConditionKind.STORAGE_FAILED] }),
    good(reportEvents, "agent", {
      siteId,
      events: [
        await signedReport(subjects.agent, siteId, {
          sequence: subjects.nextSequence,
          deviceEventId: makeUuid(),
          type: DeviceEventType.DOOR_OPENED,
          occurredAt,
          offline: true,
          reservationId: subjects.toOpen,
          compartmentId: "A1",
          proofKind: ProofKind.PIN,
          credentialHash: "hash",
          refusal: "",
          act: Act.DEPOSIT,
        }),
      ],
    }),
    good(AuditService.method.listAuditEntries, "admin", {
      pageSize: 10,
      participantId: subjects.courierId,
      kind: AuditKind.KEY,
      from: { seconds: 1_700_000_000n, nanos: 1000 },
      to: { seconds: 1_900_000_000n, nanos: 1000 },
    }),
    good(participants.createParticipant, "admin", { requestId: makeUuid(), displayName: "New", roles: [Role.MERCHANT] }),
    good(participants.getParticipant, "admin", { participantId: subjects.courierId }),
    good(participants.listParticipants, "admin", {}),
    good(participants.registerKey, "operator", {
      ...(await newRegistration(subjects.operatorId, { siteId, requestId: makeUuid() })).request,
      label: "spare",
    }),
    good(participants.listKeys, "courier", { participantId: subjects.courierId }),
    good(participants.revokeKey, "courier", { requestId: makeUuid(), keyId: subjects.revocableKeyId }),
    good(participants.createEnrolmentCode, "operator", { requestId: makeUuid(), siteId: subjects.retirableSiteId, label: "spare" }),
    good(participants.listEnrolments, "operator", { siteId: subjects.retirableSiteId }),
    good(participants.takeOverSite, "operator", { requestId: makeUuid(), ...subjects.copied }),
    good(participants.listReportsKeptApart, "operator", { siteId: subjects.retirableSiteId }),
    good(participants.rotatePins, "operator", { requestId: makeUuid(), siteId: subjects.retirableSiteId }),
    good(participants.revokeEnrolment, "operator", { requestId: makeUuid(), enrolmentId: subjects.revocableEnrolmentId }),
    good(participants.createPublishableKey, "courier", {
      requestId: makeUuid(),
      participantId: subjects.courierId,
      mode: Mode.TEST,
      origins: ["https://shop.example"],
      requestsPerSecond: 5,
    }),
    good(participants.setOperatorLinks, "operator", {
      requestId: makeUuid(),
      operatorId: subjects.operatorId,
      links: { websiteUrl: "https://lockers.example", supportUrl: "https://lockers.example/help" },
    }),
    good(participants.setParticipantLimits, "admin", {
      requestId: makeUuid(),
      participantId: subjects.courierId,
      holdLimits: { siteMin: 100, sitePercent: 100, regionMax: 10_000, allMax: 20_000 },
    }),
    good(participants.getLimits, "courier", { participantId: subjects.courierId, siteId, region: "83652b", mode: Mode.TEST }),
    good(webhooks.createEndpoint, "courier", {
      requestId: makeUuid(),
      url: nowhereUrl,
      filter: { eventTypes: [EventType.PARCEL_DEPOSITED] },
      label: "staging",
    }),
    good(webhooks.listEndpoints, "courier", {}),
    good(webhooks.getEndpoint, "courier", { endpointId }),
    good(webhooks.updateEndpoint, "courier", {
      requestId: makeUuid(),
      endpointId,
      url: nowhereUrl,
      filter: { eventTypes: [EventType.PARCEL_COLLECTED] },
      paused: true,
      label: "production",
    }),
    good(webhooks.rotateEndpointKey, "courier", { requestId: makeUuid(), endpointId, overlap: { seconds: 3600n } }),
    good(webhooks.testEndpoint, "courier", { requestId: makeUuid(), endpointId }),
    good(webhooks.replayEvents, "courier", {
      requestId: makeUuid(),
      endpointId,
      from: { seconds: 1_800_000_000n, nanos: 1000 },
      to: { seconds: 1_800_086_400n, nanos: 1000 },
    }),
    good(webhooks.deleteEndpoint, "courier", { requestId: makeUuid(), endpointId: subjects.deletableEndpointId }),
  ];
}

/** A report signed by its agent. */
export async function signedReport(
  agent: RequestSigner,
  siteId: string,
  report: MessageInitShape<typeof DeviceEventSchema>,
): Promise<DeviceEvent> {
  const event = create(DeviceEventSchema, report);
  return { ...event, signature: await agent.sign(reportText(agent.keyId, reportClaims(siteId, event))) };
}

function good<Method extends DescMethod>(method: Method, by: keyof Callers, message: MessageInitShape<Method["input"]>): GoodRequest {
  const { input } = method as DescMethod;
  return { method, by, message: create(input, message as MessageInitShape<typeof input>) };
}

/** Facilities that meet the requirements of the good requests. */
export const everyFacility = {
  access: { entranceHint: "Behind the lift", photoUrl: "https://photos.example/1.jpg", stepFree: true, indoors: true },
  equipment: {
    screen: true,
    pinPad: true,
    scanner: true,
    bluetooth: true,
    cardPayment: true,
    audioGuidance: true,
    tactileMarkings: true,
  },
  services: [
    SiteService.AGE_CHECK,
    SiteService.ID_CHECK,
    SiteService.CASH_ON_DELIVERY,
    SiteService.DANGEROUS_GOODS,
    SiteService.PERSONAL_COLLECTION,
  ],
};

/** What a parcel may have besides its measures. */
const everyParcelFact = {
  requirements: [ParcelRequirement.AGE_CHECK, ParcelRequirement.CASH_ON_DELIVERY],
  labelCodes: ["JD014600003SG"],
  cashDue: { currencyCode: "SGD", units: 12n, nanos: 500_000_000 },
};

/** Terms with every field set, with the same durations as the default terms of test gateways. */
export const everyTerm = {
  freeStorage: { seconds: 259_200n },
  longestStorage: { seconds: 1_209_600n },
  extensionPricePerDay: { currencyCode: "SGD", units: 1n, nanos: 500_000_000 },
  freeChangeBeforeDeposit: { seconds: 3600n },
  lateChangeFee: { currencyCode: "SGD", units: 2n, nanos: 1 },
  noShowAfter: { seconds: 604_800n },
  noShowFee: { currencyCode: "SGD", units: 3n, nanos: 1 },
};

/** A size class that meets the requirements, with the given number of places. */
export function everySizeClass(installed: number) {
  return {
    sizeClassId: "M",
    widthMm: 400,
    heightMm: 200,
    depthMm: 500,
    maxMassG: 20_000,
    installed,
    lowestCentreHeightMm: 900,
    highestCentreHeightMm: 900,
    refrigerated: true,
  };
}

/** A site with every field set. */
function fullSite(position: { latitude: number; longitude: number }) {
  return create(SiteSchema, {
    operatorSiteRef: "full",
    kind: SiteKind.PARCEL_TERMINAL,
    name: "A site with everything",
    position,
    timeZone: "Asia/Singapore",
    isTest: true,
    address: { countryCode: "SG", administrativeArea: "Central", locality: "Singapore", postalCode: "018956", lines: ["1 Test Road"] },
    openingHours: {
      weekly: [{ openDay: DayOfWeek.MONDAY, openMinute: 480, closeDay: DayOfWeek.MONDAY, closeMinute: 1320 }],
      exceptions: [{ date: { year: 2027, month: 1, day: 1 }, open: [{ openMinute: 600, closeMinute: 720 }] }],
    },
    ...everyFacility,
    sizeClasses: [everySizeClass(1)],
    compartments: [{ compartmentId: "A1", sizeClassId: "M", centreHeightMm: 900 }],
    lifecycle: SiteLifecycle.ACTIVE,
    purposes: [Purpose.DELIVERY],
    terms: everyTerm,
  });
}
