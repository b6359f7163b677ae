import { randomUUID } from "node:crypto";
import { create, type DescMethod, type MessageInitShape } from "@bufbuild/protobuf";
import { generateKeyPair, type RequestSigner } from "@petak/client/node";
import { Act, Mode, ParticipantService, type Reason, ReservationService } from "@petak/protocol";
import { roundsHere, useRedis } from "@petak/testkit";
import { newRegistration } from "@petak/testkit/network";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { byTurns } from "../testing/by-turns.ts";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import type { GoodRequest } from "../testing/good-requests.ts";
import { goodRequestsIn, shopOrigin, startWorld, type World } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { wireProtocols } from "../wire/protocols.ts";

const names = everyMethod.map(nameOfMethod);

type CallerName =
  | "publishable"
  | "agent"
  | "otherAgent"
  | "courier"
  | "stranger"
  | "operator"
  | "rival"
  | "admin"
  | "liveCourier"
  | "liveOperator";
type Refusals = Partial<Record<CallerName, Reason>>;

const participantsOnly = { publishable: "PUBLISHABLE_KEY_NOT_ALLOWED", agent: "AGENT_KEY_NOT_ALLOWED" } satisfies Refusals;
const agentsOnly = {
  publishable: "AGENT_KEY_REQUIRED",
  courier: "AGENT_KEY_REQUIRED",
  operator: "AGENT_KEY_REQUIRED",
  admin: "AGENT_KEY_REQUIRED",
  otherAgent: "AGENT_SITE_MISMATCH",
} satisfies Refusals;
const notAParty = {
  stranger: "RESERVATION_NOT_FOUND",
  rival: "RESERVATION_NOT_FOUND",
  admin: "RESERVATION_NOT_FOUND",
  liveCourier: "RESERVATION_NOT_FOUND",
  liveOperator: "RESERVATION_NOT_FOUND",
} satisfies Refusals;
const notItsBundle = {
  ...participantsOnly,
  stranger: "BUNDLE_NOT_FOUND",
  rival: "BUNDLE_NOT_FOUND",
  admin: "BUNDLE_NOT_FOUND",
  liveCourier: "BUNDLE_NOT_FOUND",
  liveOperator: "BUNDLE_NOT_FOUND",
} satisfies Refusals;
const adminsOnly = { courier: "ROLE_REQUIRED", operator: "ROLE_REQUIRED", liveCourier: "ROLE_REQUIRED" } satisfies Refusals;
const otherNetwork = { liveCourier: "SITE_NOT_FOUND", liveOperator: "SITE_NOT_FOUND" } satisfies Refusals;
const operatorsOnly = { courier: "ROLE_REQUIRED", admin: "ROLE_REQUIRED", liveCourier: "ROLE_REQUIRED" } satisfies Refusals;
const ofSite = { ...participantsOnly, ...operatorsOnly, rival: "SITE_NOT_FOUND", liveOperator: "SITE_NOT_FOUND" } satisfies Refusals;

const ofCommand = {
  ...participantsOnly,
  ...operatorsOnly,
  rival: "COMMAND_NOT_FOUND",
  liveOperator: "COMMAND_NOT_FOUND",
} satisfies Refusals;

const notItsOwner = {
  ...participantsOnly,
  stranger: "WEBHOOK_ENDPOINT_NOT_FOUND",
  operator: "WEBHOOK_ENDPOINT_NOT_FOUND",
  admin: "WEBHOOK_ENDPOINT_NOT_FOUND",
  liveCourier: "WEBHOOK_ENDPOINT_NOT_FOUND",
} satisfies Refusals;

/** The callers that are refused, and with which reason, when they send a good request of somebody else's. */
const refusals: Record<string, Refusals> = {
  "DirectoryService/FindNearest": { agent: "AGENT_KEY_NOT_ALLOWED" },
  "DirectoryService/GetSite": { agent: "AGENT_KEY_NOT_ALLOWED", ...otherNetwork },
  "DirectoryService/ListSites": { agent: "AGENT_KEY_NOT_ALLOWED" },
  "DirectoryService/GetOperator": { agent: "AGENT_KEY_NOT_ALLOWED" },
  "DirectoryService/GetAvailability": { agent: "AGENT_KEY_NOT_ALLOWED", ...otherNetwork },
  "DirectoryService/CheckFit": { agent: "AGENT_KEY_NOT_ALLOWED", ...otherNetwork },
  "DirectoryService/UpsertSites": { ...participantsOnly, ...operatorsOnly, liveOperator: "MODE_MISMATCH" },
  "DirectoryService/SetDefaultTerms": { ...participantsOnly, ...operatorsOnly },
  "DirectoryService/RetireSites": { ...participantsOnly, ...operatorsOnly, rival: "SITE_NOT_FOUND", liveOperator: "SITE_NOT_FOUND" },
  "DirectoryService/ReportCapacity": { ...participantsOnly, ...operatorsOnly, rival: "SITE_NOT_FOUND", liveOperator: "SITE_NOT_FOUND" },
  "ReservationService/Reserve": {
    ...participantsOnly,
    operator: "ROLE_REQUIRED",
    admin: "ROLE_REQUIRED",
    liveOperator: "ROLE_REQUIRED",
    liveCourier: "NO_PLACE_FREE",
  },
  "ReservationService/Confirm": { ...participantsOnly, ...notAParty, operator: "RESERVATION_NOT_FOUND" },
  "ReservationService/Extend": { ...participantsOnly, ...notAParty, operator: "ILLEGAL_STATE" },
  "ReservationService/Cancel": { ...participantsOnly, ...notAParty },
  "ReservationService/Redirect": {
    ...participantsOnly,
    ...notAParty,
    operator: "ROLE_REQUIRED",
    rival: "ROLE_REQUIRED",
    admin: "ROLE_REQUIRED",
    liveOperator: "ROLE_REQUIRED",
  },
  "ReservationService/ResolveDoubt": {
    ...participantsOnly,
    courier: "ROLE_REQUIRED",
    stranger: "ROLE_REQUIRED",
    admin: "ROLE_REQUIRED",
    liveCourier: "ROLE_REQUIRED",
    rival: "RESERVATION_NOT_FOUND",
    liveOperator: "RESERVATION_NOT_FOUND",
  },
  "ReservationService/GetReservation": { ...participantsOnly, ...notAParty },
  "ReservationService/ListReservations": participantsOnly,
  "ReservationService/IssueCredential": { ...participantsOnly, ...notAParty, operator: "RESERVATION_NOT_FOUND" },
  "ReservationService/Batch": participantsOnly,
  "ReservationService/DelegateCredential": { ...participantsOnly, ...notAParty, operator: "RESERVATION_NOT_FOUND" },
  "ReservationService/RevokeCredential": { ...notItsBundle, operator: "BUNDLE_NOT_FOUND" },
  "ReservationService/PutBundle": { ...notItsBundle, operator: "BUNDLE_NOT_FOUND" },
  "ReservationService/GetBundle": notItsBundle,
  "ReservationService/GetManifest": { ...participantsOnly, ...otherNetwork },
  "ReservationService/IssueBundleCredential": { ...notItsBundle, operator: "BUNDLE_NOT_FOUND" },
  "CustodyService/ListEvents": participantsOnly,
  "CustodyService/WatchEvents": participantsOnly,
  "CustodyService/GetCustodyChain": { ...participantsOnly, ...notAParty },
  "CustodyService/CorrectEvents": {
    ...participantsOnly,
    courier: "ROLE_REQUIRED",
    stranger: "ROLE_REQUIRED",
    admin: "ROLE_REQUIRED",
    liveCourier: "ROLE_REQUIRED",
    rival: "RESERVATION_NOT_FOUND",
    liveOperator: "RESERVATION_NOT_FOUND",
  },
  "CustodyService/CountersignReceipt": { ...participantsOnly, ...notAParty, operator: "COUNTERSIGNATURE_INVALID" },
  // Needs no credentials; enrol.test.ts tests what it needs instead.
  "AgentService/Enrol": {},
  "AgentService/Boot": agentsOnly,
  "AgentService/Sync": agentsOnly,
  "AgentService/ResolveCode": agentsOnly,
  "AgentService/WatchCommands": agentsOnly,
  "AgentService/ReportEvents": agentsOnly,
  "AuditService/ListAuditEntries": { ...participantsOnly, ...adminsOnly },
  "CommandService/SendCommand": ofSite,
  "CommandService/ApproveCommand": ofCommand,
  "CommandService/GetCommand": ofCommand,
  "CommandService/ListCommands": ofSite,
  "CommandService/AllowCommandKey": { ...participantsOnly, ...operatorsOnly, rival: "KEY_NOT_FOUND", liveOperator: "KEY_NOT_FOUND" },
  "CommandService/ListCommandKeys": { ...participantsOnly, ...operatorsOnly },
  "ParticipantService/CreateParticipant": { ...participantsOnly, ...adminsOnly },
  "ParticipantService/GetParticipant": { ...participantsOnly, stranger: "PARTICIPANT_NOT_FOUND", operator: "PARTICIPANT_NOT_FOUND" },
  "ParticipantService/ListParticipants": { ...participantsOnly, ...adminsOnly },
  "ParticipantService/RegisterKey": { ...participantsOnly, courier: "PARTICIPANT_NOT_FOUND", rival: "PARTICIPANT_NOT_FOUND" },
  "ParticipantService/SetOperatorLinks": {
    ...participantsOnly,
    courier: "ROLE_REQUIRED",
    stranger: "ROLE_REQUIRED",
    liveCourier: "ROLE_REQUIRED",
    rival: "PARTICIPANT_NOT_FOUND",
    liveOperator: "PARTICIPANT_NOT_FOUND",
  },
  "ParticipantService/ListKeys": { ...participantsOnly, stranger: "PARTICIPANT_NOT_FOUND", operator: "PARTICIPANT_NOT_FOUND" },
  "ParticipantService/RevokeKey": { ...participantsOnly, stranger: "KEY_NOT_FOUND", operator: "KEY_NOT_FOUND" },
  "ParticipantService/CreateEnrolmentCode": ofSite,
  "ParticipantService/ListEnrolments": ofSite,
  "ParticipantService/TakeOverSite": ofSite,
  "ParticipantService/RotatePins": ofSite,
  "ParticipantService/ListReportsKeptApart": ofSite,
  "ParticipantService/RevokeEnrolment": {
    ...participantsOnly,
    ...operatorsOnly,
    rival: "ENROLMENT_NOT_FOUND",
    liveOperator: "ENROLMENT_NOT_FOUND",
  },
  "ParticipantService/CreatePublishableKey": {
    ...participantsOnly,
    stranger: "PARTICIPANT_NOT_FOUND",
    operator: "PARTICIPANT_NOT_FOUND",
  },
  "ParticipantService/SetParticipantLimits": { ...participantsOnly, ...adminsOnly },
  "ParticipantService/GetLimits": {
    ...participantsOnly,
    stranger: "PARTICIPANT_NOT_FOUND",
    operator: "PARTICIPANT_NOT_FOUND",
    liveCourier: "PARTICIPANT_NOT_FOUND",
  },
  "WebhookService/CreateEndpoint": participantsOnly,
  "WebhookService/ListEndpoints": participantsOnly,
  "WebhookService/GetEndpoint": notItsOwner,
  "WebhookService/UpdateEndpoint": notItsOwner,
  "WebhookService/RotateEndpointKey": notItsOwner,
  "WebhookService/TestEndpoint": notItsOwner,
  "WebhookService/ReplayEvents": notItsOwner,
  "WebhookService/DeleteEndpoint": notItsOwner,
};

/** The protocols over which the next caller is refused: by turns, or all. */
const inTurn = byTurns(roundsHere({ short: 1, ci: 4 }));

const redis = useRedis();
let world: World;
let requests: Map<string, GoodRequest>;
let otherAgent: RequestSigner;
let callers: Record<CallerName, string>;

beforeAll(async () => {
  world = await startWorld(redis);
  requests = new Map((await goodRequestsIn(world)).map((request) => [nameOfMethod(request.method), request]));
  otherAgent = await world.network.agentSigner(world.rival, world.rivalSiteId);
});
// The tests of a file may take longer than a token is good for.
beforeEach(async () => {
  const { network, courier, stranger, operator, rival, liveCourier, liveOperator } = world;
  const signers = { courier, stranger, operator, rival, liveCourier, liveOperator, admin: network.admin };
  const signed = await Promise.all(
    Object.entries(signers).map(async ([name, { signer }]) => [name, await signer.authorization()] as const),
  );
  callers = {
    ...(Object.fromEntries(signed) as Record<keyof typeof signers, string>),
    publishable: `Bearer ${world.publishableKey}`,
    agent: await world.agent.authorization(),
    otherAgent: await otherAgent.authorization(),
  };
});
afterAll(() => world.stop());

it("the table lists every RPC", () => {
  expect(Object.keys(refusals).sort()).toEqual([...names].sort());
});

describe.each(names.filter((name) => Object.keys(refusals[name] ?? {}).length > 0))("%s", (name) => {
  it.each(Object.entries(refusals[name] ?? {}))("refuses %s with %s", async (caller, reason) => {
    const { method, message } = requests.get(name) as GoodRequest;
    const authorization = callers[caller as CallerName];
    for (const protocol of inTurn(wireProtocols)) {
      const answer = await world.raw.call(protocol, method, message, { authorization, headers: { origin: shopOrigin }, timeoutMs: 30_000 });
      expect([protocol, answer.end, readFailure(answer)?.reason]).toEqual([protocol, "complete", reason]);
    }
  });
});

describe("a credential", () => {
  const strangers = { publishable: "PUBLISHABLE_KEY_NOT_ALLOWED", agent: "AGENT_KEY_NOT_ALLOWED" } as const;
  const ofReservation = { ...strangers, ...notAParty, operator: "RESERVATION_NOT_FOUND" } satisfies Refusals;
  const { issueCredential } = ReservationService.method;

  /** The callers that are refused for each act, with the reason. Callers that are not listed are permitted. */
  const byAct: Record<Exclude<keyof typeof Act, "UNSPECIFIED">, Refusals> = {
    DEPOSIT: ofReservation,
    COLLECT: ofReservation,
    // A permitted caller gets the refusal about the state, which is checked before the holder's key.
    RECALL: { ...ofReservation, courier: "ILLEGAL_STATE" },
    SERVICE: {
      ...strangers,
      courier: "ROLE_REQUIRED",
      stranger: "ROLE_REQUIRED",
      admin: "ROLE_REQUIRED",
      liveCourier: "ROLE_REQUIRED",
      rival: "SITE_NOT_FOUND",
      liveOperator: "SITE_NOT_FOUND",
    },
  };
  const everyone = ["publishable", "agent", "courier", "stranger", "operator", "rival", "admin", "liveCourier", "liveOperator"] as const;

  it.each(Object.entries(byAct))("for %s is issued to permitted callers only", async (name, refused) => {
    const act = Act[name as keyof typeof Act];
    const { reservationId } = await world.holdAndConfirm();
    const { publicKey: holderPublicKey } = await generateKeyPair();
    const subject = act === Act.SERVICE ? { siteId: world.siteId } : { reservationId };
    for (const caller of everyone) {
      for (const protocol of inTurn(wireProtocols)) {
        const message = create(issueCredential.input, { requestId: randomUUID(), act, holderPublicKey, ...subject });
        const answer = await world.raw.call(protocol, issueCredential, message, {
          authorization: callers[caller],
          headers: { origin: shopOrigin },
          timeoutMs: 30_000,
        });
        expect([caller, protocol, readFailure(answer)?.reason]).toEqual([caller, protocol, refused[caller]]);
      }
    }
  });
});

describe("another participant's subject or one of the other network", () => {
  /** The reason for which every protocol refuses a caller's message. */
  async function reasonFor<Method extends DescMethod>(
    caller: CallerName,
    method: Method,
    message: MessageInitShape<Method["input"]>,
  ): Promise<string | undefined> {
    const { input } = method as DescMethod;
    const made = create(input, message as MessageInitShape<typeof input>);
    const answers = await Promise.all(
      wireProtocols.map((protocol) => world.raw.call(protocol, method as DescMethod, made, { authorization: callers[caller] })),
    );
    const reasons = new Set(answers.map((answer) => readFailure(answer)?.reason));
    expect(reasons.size).toBe(1);
    return [...reasons][0];
  }

  const { registerKey, createPublishableKey, revokeKey } = ParticipantService.method;
  const publicKey = new Uint8Array(32).fill(7);

  it("cannot be the site of an agent's key", async () => {
    const key = { publicKey, mode: Mode.TEST };
    expect(await reasonFor("rival", registerKey, { ...key, requestId: randomUUID(), siteId: world.siteId })).toBe("SITE_NOT_FOUND");
    expect(await reasonFor("operator", registerKey, { ...key, requestId: randomUUID(), siteId: "site_83652b_k3v9c0x2md0000zz" })).toBe(
      "SITE_NOT_FOUND",
    );
    // The site is in the test network, and the key would be in the live one.
    const live = { publicKey, mode: Mode.LIVE, requestId: randomUUID(), siteId: world.siteId };
    expect(await reasonFor("liveOperator", registerKey, live)).toBe("SITE_NOT_FOUND");
  });

  it("cannot be reached with a test key if it is live", async () => {
    const live = { mode: Mode.LIVE, requestId: randomUUID() };
    expect(await reasonFor("courier", registerKey, { ...live, publicKey })).toBe("MODE_MISMATCH");
    expect(await reasonFor("courier", createPublishableKey, { ...live, origins: ["https://a.example"] })).toBe("MODE_MISMATCH");
    const { request } = await newRegistration(world.liveCourier.participantId);
    const { key } = await world.liveCourier.client.participants.registerKey(request);
    const { keyId } = world.liveCourier.signer;
    expect(key?.keyId).toMatch(/^key_test_/);
    expect(await reasonFor("courier", revokeKey, { requestId: randomUUID(), keyId })).toBe("KEY_NOT_FOUND");
  });

  it("cannot be reserved at", async () => {
    const message = { requestId: randomUUID(), parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 } };
    const place = { case: "siteId", value: world.siteId } as const;
    expect(await reasonFor("liveCourier", ReservationService.method.reserve, { ...message, place })).toBe("SITE_NOT_FOUND");
  });
});
