import { hash, randomUUID } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { generateKeyPair } from "@petak/client/node";
import {
  Act,
  type AuditEntry,
  AuditKind,
  AuditOutcome,
  AuditProof,
  LimitKind,
  Mode,
  ReservationService,
  Role,
  reasonOf,
} from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { enrolmentProof, newCode } from "../../testing/enrolling.ts";
import { everyMethod, nameOfMethod } from "../../testing/every-method.ts";
import type { GoodRequest } from "../../testing/good-requests.ts";
import { callersOf, goodRequestsIn, shopOrigin, startWorld, type World } from "../../testing/world.ts";
import { readFailure } from "../../wire/failure.ts";

/** The administrative changes with the kind of what they change. */
const changes: Readonly<Record<string, AuditKind>> = {
  "ParticipantService/CreateParticipant": AuditKind.PARTICIPANT,
  "ParticipantService/SetParticipantLimits": AuditKind.LIMITS,
  "ParticipantService/RegisterKey": AuditKind.KEY,
  "ParticipantService/CreatePublishableKey": AuditKind.KEY,
  "ParticipantService/RevokeKey": AuditKind.KEY,
  // First: a new code ends the one before.
  "ParticipantService/RevokeEnrolment": AuditKind.ENROLMENT,
  "ParticipantService/CreateEnrolmentCode": AuditKind.ENROLMENT,
  "ParticipantService/TakeOverSite": AuditKind.ENROLMENT,
  "ParticipantService/RotatePins": AuditKind.ENROLMENT,
  "ParticipantService/SetOperatorLinks": AuditKind.TERMS,
  "DirectoryService/SetDefaultTerms": AuditKind.TERMS,
  "DirectoryService/UpsertSites": AuditKind.SITE,
  "DirectoryService/RetireSites": AuditKind.SITE,
  "CommandService/SendCommand": AuditKind.COMMAND,
  "CommandService/ApproveCommand": AuditKind.COMMAND,
  "CommandService/AllowCommandKey": AuditKind.COMMAND,
  "WebhookService/CreateEndpoint": AuditKind.ENDPOINT,
  "WebhookService/UpdateEndpoint": AuditKind.ENDPOINT,
  "WebhookService/RotateEndpointKey": AuditKind.ENDPOINT,
  "WebhookService/DeleteEndpoint": AuditKind.ENDPOINT,
};

/** The changes that a second request for the same changes no more: it leaves no entry, so that nobody fills the log with them. The others make something anew. */
const doneOnce: ReadonlySet<string> = new Set([
  ...["SetParticipantLimits", "RevokeKey", "RevokeEnrolment", "SetOperatorLinks"].map((name) => `ParticipantService/${name}`),
  ...["SetDefaultTerms", "UpsertSites", "RetireSites"].map((name) => `DirectoryService/${name}`),
  ...["ApproveCommand", "AllowCommandKey"].map((name) => `CommandService/${name}`),
  "WebhookService/UpdateEndpoint",
]);

const ofParcels = "about parcels: their events and receipts say who did what. What is for SERVICE is recorded: see below";
const ofDevices = "made by a device about itself or its parcels; its reports are chained";

/** The other calls that change something, and why they are no administrative change. */
const notRecorded: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ReservationService.methods.filter(isChange).map((method) => [nameOfMethod(method), ofParcels] as const)),
  "CustodyService/CorrectEvents": ofParcels,
  "CustodyService/CountersignReceipt": ofParcels,
  "DirectoryService/ReportCapacity": "says what is free, every few minutes",
  "AgentService/Boot": ofDevices,
  "AgentService/ReportEvents": ofDevices,
  "WebhookService/TestEndpoint": "changes nothing that stays",
  "WebhookService/ReplayEvents": "changes nothing that stays",
};

/** Recorded by another way than the calls of participants: see below. */
const ofCodes = ["AgentService/Enrol"];

function isChange({ methodKind, idempotency }: DescMethod): boolean {
  return methodKind === "unary" && idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

const redis = useRedis();
let world: World;
let requests: Map<string, GoodRequest>;
/** An auditor of each network. */
let auditors: Record<"live" | "test", TestParticipant>;

beforeAll(async () => {
  world = await startWorld(redis);
  requests = new Map((await goodRequestsIn(world)).map((request) => [nameOfMethod(request.method), request]));
  const live = await world.network.join("Auditor", [Role.AUDITOR], Mode.LIVE);
  auditors = { live, test: await world.network.withMode(live, Mode.TEST) };
});
afterAll(() => world.stop());

async function read(by: TestParticipant, filter: object = {}): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (let cursor = "", more = true; more; ) {
    const page = await by.client.audit.listAuditEntries({ ...filter, cursor, pageSize: 7 });
    found.push(...page.entries);
    [cursor, more] = [page.nextCursor, page.hasMore];
  }
  return found;
}

const readAll = async () => [...(await read(auditors.live)), ...(await read(auditors.test))];

const send = async ({ method, message }: GoodRequest, authorization: string) =>
  readFailure(await world.raw.call("connect", method, message, { authorization, headers: { origin: shopOrigin }, timeoutMs: 30_000 }))
    ?.reason;

it("every call that changes something is recorded, or has a reason why not", () => {
  const expected = everyMethod.filter(isChange).map(nameOfMethod);
  expect([...Object.keys(changes), ...Object.keys(notRecorded), ...ofCodes].sort()).toEqual(expected.sort());
});

it.each(Object.keys(notRecorded))("%s is not recorded", async (name) => {
  const request = requests.get(name) as GoodRequest;
  const before = (await readAll()).length;
  expect(await send(request, (await callersOf(world))[request.by])).toBeUndefined();
  expect((await readAll()).length).toBe(before);
});

describe.each(Object.entries(changes))("%s", (name, kind) => {
  it("is recorded once when it is repeated, and not when it is refused", async () => {
    const request = requests.get(name) as GoodRequest;
    const callers = await callersOf(world);
    const before = (await readAll()).length;
    const strangers = `Bearer ${world.publishableKey}`;
    expect(await send(request, strangers)).toBe("PUBLISHABLE_KEY_NOT_ALLOWED");
    expect(await send({ ...request, message: { ...request.message, requestId: "none" } as never }, callers[request.by])).toBe(
      "INVALID_FIELD",
    );
    expect(await send(request, await auditors.test.signer.authorization())).toBe("ROLE_REQUIRED");
    // Anybody may make an endpoint.
    const stranger = name === "WebhookService/CreateEndpoint" ? auditors.live : world.stranger;
    expect(await send(request, await stranger.signer.authorization())).not.toBeUndefined();
    expect((await readAll()).length).toBe(before);
    expect([await send(request, callers[request.by]), await send(request, callers[request.by])]).toEqual([undefined, undefined]);
    const { requestId } = request.message as unknown as { requestId: string };
    const made = (await readAll()).filter((entry) => entry.requestId === requestId);
    const { participantId, signer } = request.by === "admin" ? world.network.admin : world[request.by as "operator" | "courier"];
    expect(made).toMatchObject([{ kind, participantId, keyId: signer.keyId, method: `petak.v1.${name}`, outcome: AuditOutcome.DONE }]);
    const [entry] = made as [AuditEntry];
    expect((await readAll()).length).toBe(before + 1);
    expect(Buffer.from(entry.requestTokenSha256)).toEqual(hash("sha256", callers[request.by].replace("Bearer ", ""), "buffer"));
    expect(entry.summary).toMatch(/^[ -~]{1,400}$/);
    expect(entry.proof).toBe(entry.proofSha256.length === 0 ? AuditProof.REQUEST_TOKEN : AuditProof.OF_CALL);
    expect(entry.ownerId).toMatch(/^par_/);
  });
});

it.each([...doneOnce])("%s is not recorded when another request asks for what is so already", async (name) => {
  const request = requests.get(name) as GoodRequest;
  const { [request.by]: authorization } = await callersOf(world);
  expect(await send(request, authorization)).toBeUndefined();
  const before = await readAll();
  const again = { ...request, message: { ...request.message, requestId: randomUUID() } as GoodRequest["message"] };
  expect([await send(again, authorization), await send(again, authorization)]).toEqual([undefined, undefined]);
  expect(await readAll()).toEqual(before);
});

describe("an entry", () => {
  it("names the device's key that was registered by a code, and the key that made the code", async () => {
    const siteId = await world.addSite().then((added) => added.siteId);
    const { code = "", enrolment } = await newCode(world.operator, siteId);
    const { publicKey, privateJwk } = await generateKeyPair();
    const possessionProof = await enrolmentProof(privateJwk, code);
    const enrol = () => world.operator.client.agents.enrol({ code, publicKey, possessionProof });
    const { keyId } = await enrol();
    await enrol();
    const other = await generateKeyPair();
    const second = { code, publicKey: other.publicKey, possessionProof: await enrolmentProof(other.privateJwk, code) };
    await expect(world.operator.client.agents.enrol(second)).rejects.toSatisfy((error) => reasonOf(error) === "ENROLMENT_CODE_USED");
    const made = (await read(auditors.test)).filter(({ requestId }) => requestId === enrolment?.enrolmentId);
    expect(made).toMatchObject([
      { method: "petak.v1.AgentService/Enrol", objectId: keyId, keyId: world.operator.signer.keyId, ownerId: world.operator.participantId },
    ]);
    expect(made[0]?.proof).toBe(AuditProof.OF_POSSESSION);
    expect(Buffer.from(made[0]?.proofSha256 ?? [])).toEqual(hash("sha256", possessionProof, "buffer"));
  });

  it("names the sites that were made, and there is none if nothing was changed or only validated", async () => {
    const { siteId, site } = await world.addSite();
    const last = async () => (await read(auditors.test, { kind: AuditKind.SITE })).at(-1);
    const entry = await last();
    expect(entry).toMatchObject({ objectId: siteId, summary: `made: ${siteId}`, ownerId: world.operator.participantId });
    const { directory } = world.operator.client;
    await directory.upsertSites({ requestId: randomUUID(), sites: [site] });
    await directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site, name: "Other" }], validateOnly: true });
    expect((await last())?.entryId).toBe(entry?.entryId);
    await directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site, name: "Other" }] });
    expect(await last()).toMatchObject({ objectId: siteId, summary: `replaced: ${siteId}` });
  });

  it("names the key that was made, its owner, and the proof", async () => {
    const { request } = await newRegistration(world.courier.participantId, { mode: Mode.LIVE });
    const { key } = await world.network.admin.client.participants.registerKey(request);
    const [entry] = (await read(auditors.live, { participantId: world.courier.participantId })).slice(-1);
    expect(entry).toMatchObject({ objectId: key?.keyId, ownerId: world.courier.participantId, summary: "registered, live" });
    expect(entry?.proofSha256.length).toBe(32);
    const revocation = { requestId: randomUUID(), keyId: key?.keyId ?? "" };
    await world.network.admin.client.participants.revokeKey(revocation);
    const [revoked] = (await read(auditors.live, { participantId: world.courier.participantId, kind: AuditKind.KEY })).slice(-1);
    expect(revoked).toMatchObject({ requestId: revocation.requestId, objectId: key?.keyId, ownerId: world.courier.participantId });
  });

  it("names the credential for SERVICE that was issued, alone or in a batch, and revoked, once", async () => {
    const { operator, siteId } = world;
    const { reservations } = operator.client;
    const { publicKey: holderPublicKey } = await generateKeyPair();
    const wanted = () => ({ requestId: randomUUID(), act: Act.SERVICE, siteId, compartmentId: "A1", holderPublicKey });
    const alone = await reservations.issueCredential(wanted());
    const { results } = await reservations.batch({ calls: [{ call: { case: "issueCredential", value: wanted() } }] });
    const [{ result } = {}] = results;
    if (result?.case !== "issueCredential") throw new Error(`the batch returned ${result?.case}`);
    const subject = { case: "siteId", value: siteId } as const;
    for (let times = 0; times < 2; times += 1) {
      await reservations.revokeCredential({ requestId: randomUUID(), subject, credentialHash: alone.credentialHash });
    }
    const made = await read(auditors.test, { kind: AuditKind.CREDENTIAL, participantId: operator.participantId });
    expect(made.map(({ method, objectId, summary }) => [method.split("/")[1], objectId, summary])).toEqual([
      ["IssueCredential", alone.credentialHash, `SERVICE at ${siteId}, compartment A1, issued`],
      ["IssueCredential", result.value.credentialHash, `SERVICE at ${siteId}, compartment A1, issued`],
      ["RevokeCredential", alone.credentialHash, `SERVICE at ${siteId}, revoked`],
    ]);
  });

  it("has neither the label of a key nor the name of a participant", async () => {
    const texts = (await readAll()).map(({ summary }) => summary).join(" ");
    expect(texts).not.toMatch(/New|Auditor|Operator|Courier|label/);
  });
});

describe("an auditor", () => {
  const reasonFor = (call: Promise<unknown>) => call.then(() => undefined, reasonOf);

  it("changes nothing, not even keys or endpoints of its own", async () => {
    const { participantId, client } = auditors.test;
    const { request } = await newRegistration(participantId);
    const requestId = randomUUID();
    const calls = [
      client.participants.registerKey(request),
      client.participants.revokeKey({ requestId, keyId: auditors.test.signer.keyId }),
      client.participants.createPublishableKey({ requestId, mode: Mode.TEST, origins: ["https://shop.example"] }),
      client.webhooks.createEndpoint({ requestId, url: "https://hooks.invalid/petak" }),
      client.reservations.batch({
        calls: [{ call: { case: "confirm", value: { requestId, reservationId: "res_836520_0000000000000000" } } }],
      }),
    ];
    expect(await Promise.all(calls.map(reasonFor))).toEqual(calls.map(() => "ROLE_REQUIRED"));
    expect((await client.participants.getParticipant({})).participant?.roles).toEqual([Role.AUDITOR]);
  });

  it("reads the network of its key only", async () => {
    // The gateway's own have no key.
    const keys = (entries: AuditEntry[]) => new Set(entries.flatMap(({ keyId }) => keyId.split("_")[1] ?? []));
    expect([keys(await read(auditors.live)), keys(await read(auditors.test))]).toEqual([new Set(["live"]), new Set(["test"])]);
    const { nextCursor } = await auditors.live.client.audit.listAuditEntries({});
    expect(await reasonFor(auditors.test.client.audit.listAuditEntries({ cursor: nextCursor }))).toBe("CURSOR_INVALID");
  });

  it("cannot ask for a time that ends before it begins", async () => {
    const range = { from: { seconds: 1_800_000_000n }, to: { seconds: 1_700_000_000n } };
    expect(await reasonFor(auditors.test.client.audit.listAuditEntries(range))).toBe("INVALID_FIELD");
  });
});

describe("whoever makes many changes", () => {
  it("pushes out nobody else's entries, and a reader is told whose are missing", async () => {
    const network = await startTestNetwork({ redis, auditEntriesMax: 3 });
    onTestFinished(() => network.stop());
    const courier = await network.join("Courier", [Role.COURIER], Mode.TEST);
    const operator = await network.join("Operator", [Role.OPERATOR], Mode.TEST);
    const auditor = await network.join("Auditor", [Role.AUDITOR], Mode.TEST);
    const publish = ({ client }: TestParticipant, port: number) =>
      client.participants.createPublishableKey({ requestId: randomUUID(), mode: Mode.TEST, origins: [`http://localhost:${port}`] });
    await publish(operator, 1);
    const { nextCursor } = await auditor.client.audit.listAuditEntries({ pageSize: 500 });
    for (const port of [2, 3, 4, 5, 6]) await publish(courier, port);
    const page = await auditor.client.audit.listAuditEntries({ pageSize: 500 });
    const portsOf = ({ participantId }: TestParticipant) =>
      page.entries.filter((entry) => entry.participantId === participantId).map(({ summary }) => summary.at(-1));
    expect([portsOf(operator), portsOf(courier)]).toEqual([["1"], ["4", "5", "6"]]);
    expect(page.dropped).toMatchObject([{ participantId: courier.participantId }]);
    const [dropped] = page.dropped;
    expect(dropped?.until?.seconds).toBe(BigInt(Math.floor(Number.parseInt(dropped?.untilEntryId ?? "", 10) / 1000)));
    expect((await auditor.client.audit.listAuditEntries({ cursor: nextCursor })).dropped).toEqual(page.dropped);
    expect((await auditor.client.audit.listAuditEntries({ cursor: page.nextCursor })).dropped).toEqual([]);
    const { limits } = await courier.client.participants.getLimits({});
    expect(limits.find(({ kind }) => kind === LimitKind.AUDIT_ENTRIES)).toMatchObject({ limit: 3n, used: 3n, left: 0n });
  });
});
