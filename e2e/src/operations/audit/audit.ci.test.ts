import { hash, randomUUID } from "node:crypto";
import { type AuditEntry, AuditKind, AuditOutcome, Mode, Role, reasonOf } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { newRegistration, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nameOfMethod } from "../../testing/every-method.ts";
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
};

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
    expect(await send(request, await world.stranger.signer.authorization())).not.toBeUndefined();
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
    expect(entry.ownerId).toMatch(/^par_/);
  });
});

describe("an entry", () => {
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
    const keys = (entries: AuditEntry[]) => new Set(entries.map(({ keyId }) => keyId.split("_")[1]));
    expect([keys(await read(auditors.live)), keys(await read(auditors.test))]).toEqual([new Set(["live"]), new Set(["test"])]);
    const { nextCursor } = await auditors.live.client.audit.listAuditEntries({});
    expect(await reasonFor(auditors.test.client.audit.listAuditEntries({ cursor: nextCursor }))).toBe("CURSOR_INVALID");
  });

  it("cannot ask for a time that ends before it begins", async () => {
    const range = { from: { seconds: 1_800_000_000n }, to: { seconds: 1_700_000_000n } };
    expect(await reasonFor(auditors.test.client.audit.listAuditEntries(range))).toBe("INVALID_FIELD");
  });
});
