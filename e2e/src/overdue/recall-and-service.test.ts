import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { TokenShown } from "@petak/agent";
import { newHolder, type SimulatedHolder, type SimulatedTerminal } from "@petak/agent/simulation";
import {
  Act,
  DeviceEventType,
  DoubtOutcome,
  type Event,
  EventType,
  fromConnectError,
  type IssueCredentialRequestSchema,
  PartyKind,
  ProofKind,
  Purpose,
  type Receipt,
  ReservationState,
  Role,
  reasonOf,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const compartments = ["A1", "A2", "A3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
const dayMs = 86_400_000;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let terminal: SimulatedTerminal;
/** Whether the agent can synchronize. */
let canSync: boolean;
/** The holder of a key at the door. */
let holder: SimulatedHolder;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const overrides = { now: clock.now, collectWithinMs: 3 * dayMs, sweepIntervalMs: 20 };
  network = await startTestNetwork({ redis, ...overrides });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  holder = await newHolder();
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 3]] }, { compartments });
  siteId = await network.putSite(operator, site);
  canSync = true;
  const line = network.clientFor(await network.agentSigner(operator, siteId)).agents;
  const client: typeof line = {
    ...line,
    sync: (...asked) => (canSync ? line.sync(...asked) : Promise.reject(new Error("the site has no network"))),
  };
  terminal = await network.openTerminal(operator, siteId, { client, cabinet: compartments, graceMs: 0 });
  return () => network.stop();
});

type Asked = Omit<MessageInitShape<typeof IssueCredentialRequestSchema>, "requestId" | "$typeName">;

const issue = (by: TestParticipant, asked: Asked, requestId = randomUUID()) =>
  by.client.reservations.issueCredential({ requestId, ...asked });

const reasonFor = async (work: Promise<unknown>) => reasonOf(await work.catch((error: unknown) => error));

const recallOf = (reservationId: string): Asked => ({ reservationId, act: Act.RECALL, holderPublicKey: holder.publicKey });

/** A token with a presence proof for a challenge of the site. */
function proven(token: string, compartmentId?: string): Promise<TokenShown> {
  return holder.show(terminal, token, compartmentId === undefined ? {} : { compartmentId });
}

async function deposited(purpose: Purpose = Purpose.DELIVERY): Promise<{ reservationId: string; compartmentId: string }> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel, purpose });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await issue(courier, { reservationId, act: Act.DEPOSIT });
  const opened = await terminal.visit({ token: accessToken });
  if (!opened.opened) throw new Error(`the deposit was refused: ${opened.refusal}`);
  return { reservationId, compartmentId: opened.compartmentId };
}

async function takeBack(reservationId: string): Promise<void> {
  const { accessToken } = await issue(courier, recallOf(reservationId));
  const opened = await terminal.visit(await proven(accessToken));
  if (!opened.opened) throw new Error(`the recall was refused: ${opened.refusal}`);
}

async function chainOf(reservationId: string, by = courier) {
  const { reservation, events } = await by.client.custody.getCustodyChain({ reservationId });
  return { reservation, events, types: events.map(({ type }) => type) };
}

async function places() {
  const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
  const [place] = availabilities[0]?.sizeClasses ?? [];
  return { held: place?.held, occupied: place?.occupied, free: place?.freeToPromise };
}

/** The events of the operator's feed that are about no reservation. */
async function siteEvents(): Promise<Event[]> {
  return (await operator.client.custody.listEvents({ pageSize: 1000 })).events.filter(
    ({ reservationId, keyChange }) => reservationId === "" && keyChange === undefined,
  );
}

describe("an overdue parcel", () => {
  it("is recalled: its collector's credentials end, its place becomes free, and each step is an event", async () => {
    const { reservationId, compartmentId } = await deposited();
    const collect = await issue(courier, { reservationId, act: Act.COLLECT, withPin: true });
    await terminal.agent.syncNow();
    clock.advance(3 * dayMs - 60_000);
    await expect.poll(async () => (await chainOf(reservationId)).types).not.toContain(EventType.PARCEL_OVERDUE);
    clock.advance(60_000);
    await expect.poll(async () => (await chainOf(reservationId)).types).toContain(EventType.PARCEL_OVERDUE);

    await takeBack(reservationId);
    const { reservation, events, types } = await chainOf(reservationId);
    expect(types.slice(-5)).toEqual([
      EventType.PARCEL_OVERDUE,
      EventType.CREDENTIAL_ISSUED,
      EventType.DOOR_OPENED,
      EventType.DOOR_CLOSED,
      EventType.PARCEL_RECALLED,
    ]);
    expect(reservation).toMatchObject({ state: ReservationState.RECALLED, recalledAt: timestampFromMs(clock.now()), compartmentId });
    expect(events.at(-1)).toMatchObject({
      stateBefore: ReservationState.DEPOSITED,
      stateAfter: ReservationState.RECALLED,
      actor: { kind: PartyKind.AGENT },
      proof: { compartmentId, offline: false, credentialHash: events.at(-3)?.proof?.credentialHash },
    });
    expect(await places()).toEqual({ held: 0, occupied: 0, free: 3 });
    // The receipts agree: the operator gave the parcel back to its depositor.
    const { receipts } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    const actOf = ({ jws }: Receipt): string => JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString()).act;
    expect(receipts.map(actOf)).toEqual(["RESERVED", "DEPOSITED", "RECALLED"]);
    await terminal.agent.syncNow();
    for (const credential of [{ token: collect.accessToken }, { pin: collect.pin }]) {
      expect(await terminal.agent.present(credential)).toMatchObject({ opened: false });
    }
    expect(await reasonFor(issue(courier, { reservationId, act: Act.COLLECT }))).toBe("ILLEGAL_STATE");
    expect(await reasonFor(issue(courier, recallOf(reservationId)))).toBe("ILLEGAL_STATE");
  });

  it.each([
    ["DELIVERY", Purpose.DELIVERY],
    ["FIRST_MILE", Purpose.FIRST_MILE],
    ["RETURN", Purpose.RETURN],
  ])("goes back to its depositor in the same way for %s", async (_, purpose) => {
    const { reservationId } = await deposited(purpose);
    await takeBack(reservationId);
    const { reservation, types } = await chainOf(reservationId);
    expect([reservation?.state, reservation?.purpose, types.at(-1)]).toEqual([
      ReservationState.RECALLED,
      purpose,
      EventType.PARCEL_RECALLED,
    ]);
  });

  it("can be collected during a recall until a door has opened for one of the two", async () => {
    const { reservationId, compartmentId } = await deposited();
    const recall = await issue(courier, recallOf(reservationId));
    const collect = await issue(courier, { reservationId, act: Act.COLLECT });
    expect(await terminal.agent.present({ token: collect.accessToken })).toMatchObject({ opened: true });
    expect(await terminal.agent.present(await proven(recall.accessToken))).toMatchObject({ opened: false });
    terminal.cabinet.takeOut(compartmentId);
    terminal.cabinet.closeDoor(compartmentId);
    expect(await terminal.agent.present(await proven(recall.accessToken))).toMatchObject({ opened: false });
    await terminal.agent.flushed();
    expect((await chainOf(reservationId)).reservation?.state).toBe(ReservationState.COLLECTED);
  });

  it("cannot be deposited again with a second deposit token after the recall", async () => {
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const [first, second] = [1, 2].map(() => issue(courier, { reservationId, act: Act.DEPOSIT }));
    await terminal.agent.present({ token: (await first)?.accessToken ?? "" });
    terminal.cabinet.putIn("A1");
    terminal.cabinet.closeDoor("A1");
    await terminal.agent.flushed();
    await takeBack(reservationId);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: (await second)?.accessToken ?? "" })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
  });
});

describe("a recall that is reported late", () => {
  let report: (type: DeviceEventType, reservationId: string, occurredMs?: number) => Promise<void>;

  beforeEach(async () => {
    const device = network.clientFor(await network.agentSigner(operator, siteId)).agents;
    let sequence = 0n;
    report = async (type, reservationId, occurredMs = clock.now()) => {
      sequence += 1n;
      const shown = await network.shownFor({ siteId, type, reservationId });
      const what = { type, occurredAt: timestampFromMs(occurredMs), reservationId, offline: true, ...shown };
      const event = { sequence, deviceEventId: randomUUID(), ...what };
      await device.reportEvents({ siteId, events: [event] });
      await device.reportEvents({ siteId, events: [event] });
    };
  });

  it("is recorded once, with the time at the site hours before", async () => {
    const { reservationId } = await deposited();
    const atMs = clock.now() + 60_000;
    clock.advance(10 * 3_600_000);
    await report(DeviceEventType.PARCEL_RECALLED, reservationId, atMs);
    const { reservation, events, types } = await chainOf(reservationId);
    expect(reservation).toMatchObject({ state: ReservationState.RECALLED, recalledAt: timestampFromMs(atMs) });
    expect(types.filter((type) => type === EventType.PARCEL_RECALLED)).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ occurredAt: timestampFromMs(atMs), recordedAt: timestampFromMs(clock.now()) });
    expect(await places()).toEqual({ held: 0, occupied: 0, free: 3 });
  });

  it("ends a doubt", async () => {
    const { reservationId } = await deposited();
    await report(DeviceEventType.DOUBT, reservationId);
    await report(DeviceEventType.PARCEL_RECALLED, reservationId);
    expect((await chainOf(reservationId)).reservation?.state).toBe(ReservationState.RECALLED);
    expect(await places()).toEqual({ held: 0, occupied: 0, free: 3 });
  });

  it("is recorded but changes nothing if the operator has already resolved the doubt", async () => {
    const { reservationId } = await deposited();
    await report(DeviceEventType.DOUBT, reservationId);
    const outcome = DoubtOutcome.COLLECTED;
    await operator.client.reservations.resolveDoubt({ requestId: randomUUID(), reservationId, outcome });
    await report(DeviceEventType.PARCEL_RECALLED, reservationId);
    const { reservation, events } = await chainOf(reservationId);
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
    expect(events.at(-1)).toMatchObject({ type: EventType.PARCEL_RECALLED, stateAfter: ReservationState.COLLECTED });
    expect(await places()).toEqual({ held: 0, occupied: 0, free: 3 });
  });

  it("causes a doubt if no deposit was recorded", async () => {
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    await report(DeviceEventType.PARCEL_RECALLED, reservationId);
    expect((await chainOf(reservationId)).reservation?.state).toBe(ReservationState.IN_DOUBT);
    expect(await places()).toEqual({ held: 0, occupied: 1, free: 2 });
  });
});

describe("the proof of an event", () => {
  const { ACCESS_TOKEN, BOUND_ACCESS_TOKEN, PIN } = ProofKind;

  /** The kind of proof in each event of a type. */
  async function kindsOf(reservationId: string, ...types: EventType[]): Promise<(ProofKind | undefined)[]> {
    const { events } = await chainOf(reservationId);
    return events.filter(({ type }) => types.includes(type)).map(({ proof }) => proof?.kind);
  }

  async function confirmed(): Promise<string> {
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId: reservation?.reservationId ?? "" });
    return reservation?.reservationId ?? "";
  }

  async function opened(credential: TokenShown | { pin: string }): Promise<void> {
    const outcome = await terminal.visit(credential);
    if (!outcome.opened) throw new Error(`refused: ${outcome.refusal}`);
  }

  it("says, for a deposit and a collection, whether the token's holder proved presence, and so does the receipt", async () => {
    const reservationId = await confirmed();
    const bound = { reservationId, holderPublicKey: holder.publicKey };
    const deposit = await issue(courier, { ...bound, act: Act.DEPOSIT });
    await opened(await proven(deposit.accessToken));
    const collect = await issue(courier, { ...bound, act: Act.COLLECT });
    expect(await terminal.agent.present({ token: collect.accessToken })).toMatchObject({ opened: false });
    await opened(await proven(collect.accessToken));
    const { PARCEL_DEPOSITED, PARCEL_COLLECTED, DOOR_REFUSED, DOOR_OPENED } = EventType;
    expect(await kindsOf(reservationId, PARCEL_DEPOSITED, PARCEL_COLLECTED)).toEqual([BOUND_ACCESS_TOKEN, BOUND_ACCESS_TOKEN]);
    expect(await kindsOf(reservationId, DOOR_OPENED)).toEqual([BOUND_ACCESS_TOKEN, BOUND_ACCESS_TOKEN]);
    expect(await kindsOf(reservationId, DOOR_REFUSED)).toEqual([ACCESS_TOKEN]);
    const { receipts } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    const kindIn = ({ jws }: Receipt) => JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString()).proof?.kind ?? "";
    expect(receipts.map(kindIn)).toEqual(["", "BOUND_ACCESS_TOKEN", "BOUND_ACCESS_TOKEN"]);
  });

  it("says so for a delegate, a recall and service, and never for a token that is bound to no key", async () => {
    const { PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, SERVICE_DOOR_OPENED } = EventType;
    const first = await deposited();
    const parent = await issue(courier, { reservationId: first.reservationId, act: Act.COLLECT, holderPublicKey: holder.publicKey });
    const { accessToken } = await courier.client.reservations.delegateCredential({
      requestId: randomUUID(),
      accessToken: parent.accessToken,
      holderPublicKey: holder.publicKey,
    });
    await opened(await proven(accessToken));
    expect(await kindsOf(first.reservationId, PARCEL_DEPOSITED, PARCEL_COLLECTED)).toEqual([ACCESS_TOKEN, BOUND_ACCESS_TOKEN]);

    const second = await deposited();
    const work = await issue(operator, {
      siteId,
      compartmentId: second.compartmentId,
      act: Act.SERVICE,
      holderPublicKey: holder.publicKey,
    });
    await terminal.agent.present(await proven(work.accessToken));
    terminal.cabinet.closeDoor(second.compartmentId);
    await takeBack(second.reservationId);
    expect(await kindsOf(second.reservationId, SERVICE_DOOR_OPENED, PARCEL_RECALLED)).toEqual([BOUND_ACCESS_TOKEN, BOUND_ACCESS_TOKEN]);

    const third = await deposited();
    const { pin } = await issue(courier, { reservationId: third.reservationId, act: Act.COLLECT, withPin: true });
    await terminal.agent.syncNow();
    await opened({ pin });
    expect(await kindsOf(third.reservationId, PARCEL_COLLECTED)).toEqual([PIN]);
  });
});

describe("service at a site", () => {
  const service = (compartmentId = ""): Asked => ({ siteId, compartmentId, act: Act.SERVICE, holderPublicKey: holder.publicKey });

  it("opens empty compartments, and its operator sees each opening", async () => {
    const { reservationId } = await deposited();
    const before = (await chainOf(reservationId)).types;
    const { accessToken, notBefore, expiresAt } = await issue(operator, service());
    expect(accessToken.length).toBeLessThanOrEqual(320);
    expect([notBefore, expiresAt]).toEqual([timestampFromMs(clock.now()), timestampFromMs(clock.now() + 8 * 3_600_000)]);
    expect(await terminal.agent.present(await proven(accessToken, "A1"))).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
    for (const door of ["A2", "A3"]) {
      expect(await terminal.agent.present(await proven(accessToken, door))).toMatchObject({ opened: true, compartmentId: door });
      terminal.cabinet.closeDoor(door);
    }
    await terminal.agent.flushed();
    const events = await siteEvents();
    expect(events.map(({ type, proof }) => [type, proof?.compartmentId ?? ""])).toEqual([
      [EventType.CREDENTIAL_ISSUED, ""],
      [EventType.DOOR_REFUSED, ""],
      [EventType.SERVICE_DOOR_OPENED, "A2"],
      [EventType.SERVICE_DOOR_CLOSED, "A2"],
      [EventType.SERVICE_DOOR_OPENED, "A3"],
      [EventType.SERVICE_DOOR_CLOSED, "A3"],
    ]);
    expect(events.every((event) => event.siteId === siteId && event.operatorId === operator.participantId && event.isTest)).toBe(true);
    expect(new Set(events.slice(1).map(({ proof }) => proof?.credentialHash)).size).toBe(1);
    expect((await chainOf(reservationId)).types).toEqual(before);
  });

  it("leaves a parcel in custody behind the door that the operator named, and informs its parties", async () => {
    const { reservationId, compartmentId } = await deposited();
    const { accessToken } = await issue(operator, service(compartmentId));
    expect(await terminal.agent.present(await proven(accessToken))).toMatchObject({ opened: true, compartmentId });
    terminal.cabinet.closeDoor(compartmentId);
    await terminal.agent.flushed();
    const { reservation, types } = await chainOf(reservationId);
    expect(reservation?.state).toBe(ReservationState.DEPOSITED);
    expect(types.slice(-2)).toEqual([EventType.SERVICE_DOOR_OPENED, EventType.SERVICE_DOOR_CLOSED]);
  });

  it("never collects: a parcel that was taken out is in doubt, and its operator resolves the doubt", async () => {
    const { reservationId, compartmentId } = await deposited();
    const { accessToken } = await issue(operator, service(compartmentId));
    await terminal.agent.present(await proven(accessToken));
    terminal.cabinet.takeOut(compartmentId);
    terminal.cabinet.closeDoor(compartmentId);
    await terminal.agent.flushed();
    await expect.poll(async () => (await chainOf(reservationId)).reservation?.state).toBe(ReservationState.IN_DOUBT);
    const outcome = DoubtOutcome.RECALLED;
    const { reservation } = await operator.client.reservations.resolveDoubt({ requestId: randomUUID(), reservationId, outcome });
    expect(reservation).toMatchObject({ state: ReservationState.RECALLED, recalledAt: timestampFromMs(clock.now()) });
  });

  const revoke = (by: TestParticipant, credentialHash: string, more: object = {}, requestId = randomUUID()) =>
    by.client.reservations.revokeCredential({ requestId, subject: { case: "siteId", value: siteId }, credentialHash, ...more });

  it("ends early if its operator revokes its token, at every door and for that token alone", async () => {
    const [lost, kept] = [await issue(operator, service()), await issue(operator, service("A3"))];
    expect(await terminal.agent.present(await proven(lost.accessToken, "A1"))).toMatchObject({ opened: true });
    terminal.cabinet.closeDoor("A1");
    const requestId = randomUUID();
    await revoke(operator, lost.credentialHash, {}, requestId);
    await revoke(operator, lost.credentialHash, {}, requestId);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present(await proven(lost.accessToken, "A2"))).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
    expect(await terminal.agent.present(await proven(kept.accessToken))).toMatchObject({ opened: true, compartmentId: "A3" });
    terminal.cabinet.closeDoor("A3");
    await terminal.agent.flushed();
    const events = await siteEvents();
    const revoked = events.filter(({ type }) => type === EventType.CREDENTIAL_REVOKED);
    expect(revoked).toEqual([
      expect.objectContaining({
        siteId,
        actor: expect.objectContaining({ kind: PartyKind.PARTICIPANT, participantId: operator.participantId }),
        proof: expect.objectContaining({ credentialHash: lost.credentialHash }),
      }),
    ]);
    const refused = events.find(({ type }) => type === EventType.DOOR_REFUSED);
    expect(refused?.proof).toMatchObject({ refusal: "REVOKED", credentialHash: lost.credentialHash });
  });

  it("is permitted by a site that has not received the revocation, and the report says that it was decided offline", async () => {
    const { accessToken, credentialHash } = await issue(operator, service());
    canSync = false;
    // Once this fails, no earlier call is under way that might still hear of it.
    await expect(terminal.agent.syncNow()).rejects.toThrow("no network");
    await revoke(operator, credentialHash);
    await expect(terminal.agent.syncNow()).rejects.toThrow("no network");
    expect(await terminal.agent.present(await proven(accessToken, "A1"))).toMatchObject({ opened: true });
    terminal.cabinet.closeDoor("A1");
    await terminal.agent.flushed();
    expect((await siteEvents()).find(({ type }) => type === EventType.SERVICE_DOOR_OPENED)?.proof).toMatchObject({
      offline: true,
      credentialHash,
    });
    canSync = true;
    await terminal.agent.syncNow();
    expect(await terminal.agent.present(await proven(accessToken, "A2"))).toMatchObject({ opened: false });
    // At the latest until the token ends.
    const other = await issue(operator, service());
    canSync = false;
    await revoke(operator, other.credentialHash);
    clock.advance(8 * 3_600_000 + 10 * 60_000);
    expect(await terminal.agent.present(await proven(other.accessToken, "A3"))).toMatchObject({ opened: false });
  });

  it("is revoked by its site's operator only, by the token's hash, which revokes no credential to collect", async () => {
    const rival = await network.join("Rival", [Role.OPERATOR]);
    const { credentialHash } = await issue(operator, service());
    expect(await reasonFor(revoke(courier, credentialHash))).toBe("ROLE_REQUIRED");
    expect(await reasonFor(revoke(rival, credentialHash))).toBe("SITE_NOT_FOUND");
    expect(await reasonFor(revoke(operator, credentialHash, { subject: { case: "siteId", value: "site_83652b_k3v9c0x2md0000zz" } }))).toBe(
      "SITE_NOT_FOUND",
    );
    expect(await reasonFor(revoke(operator, ""))).toBe("INVALID_FIELD");
    expect(await reasonFor(revoke(operator, credentialHash, { pin: true }))).toBe("INVALID_FIELD");
    const { reservationId, compartmentId } = await deposited();
    const collect = await issue(courier, { reservationId, act: Act.COLLECT });
    expect(await reasonFor(revoke(operator, collect.credentialHash))).toBe("CREDENTIAL_NOT_FOUND");
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: collect.accessToken })).toMatchObject({ opened: true, compartmentId });
  });

  it("has at most a hundred revoked tokens per site at once", async () => {
    for (let count = 1; count <= 100; count += 1) await revoke(operator, (await issue(operator, service("A1"))).credentialHash);
    const { credentialHash } = await issue(operator, service("A2"));
    const failure = await revoke(operator, credentialHash).catch((error: ConnectError) => fromConnectError(error));
    expect(failure).toMatchObject({ reason: "CREDENTIALS_EXHAUSTED", metadata: { limit: "100", subject: siteId } });
    clock.advance(9 * 3_600_000);
    await revoke(operator, (await issue(operator, service())).credentialHash);
  });

  it("that was never issued for the site cannot be revoked, which takes none of its revocations", async () => {
    for (let count = 1; count <= 101; count += 1) {
      const failure = await revoke(operator, String(count).padStart(43, "h")).catch((error: ConnectError) => fromConnectError(error));
      expect(failure).toMatchObject({ reason: "CREDENTIAL_NOT_FOUND", metadata: { subject: siteId } });
    }
    await revoke(operator, (await issue(operator, service())).credentialHash);
  });

  it("is permitted by its operator only, at its own sites and for existing doors", async () => {
    const rival = await network.join("Rival", [Role.OPERATOR]);
    expect(await reasonFor(issue(courier, service()))).toBe("ROLE_REQUIRED");
    expect(await reasonFor(issue(rival, service()))).toBe("SITE_NOT_FOUND");
    expect(await reasonFor(issue(operator, { ...service(), siteId: "site_83652b_k3v9c0x2md0000zz" }))).toBe("SITE_NOT_FOUND");
    expect(await reasonFor(issue(operator, service("Z9")))).toBe("INVALID_FIELD");
  });

  it("is permitted once for a repeated request", async () => {
    const requestId = randomUUID();
    const first = await issue(operator, service(), requestId);
    clock.advance(3_600_000);
    expect(await issue(operator, service(), requestId)).toEqual(first);
    expect(await reasonFor(issue(operator, service("A1"), requestId))).toBe("REQUEST_ID_REUSED");
    expect((await siteEvents()).map(({ type }) => type)).toEqual([EventType.CREDENTIAL_ISSUED]);
  });
});

describe("a credential", () => {
  it("to recall or to collect is issued to the courier of the reservation only", async () => {
    const merchant = await network.join("Merchant", [Role.MERCHANT]);
    const { reservationId } = await deposited();
    const { publicKey: holderPublicKey } = holder;
    for (const [by, reason] of [
      [courier, undefined],
      [merchant, "RESERVATION_NOT_FOUND"],
      // Custody of a recalled parcel passes to its depositor, which is not the operator.
      [operator, "RESERVATION_NOT_FOUND"],
    ] as const) {
      expect(await reasonFor(issue(by, { reservationId, act: Act.RECALL, holderPublicKey }))).toBe(reason);
      expect(await reasonFor(issue(by, { reservationId, act: Act.COLLECT, holderPublicKey }))).toBe(reason);
    }
  });

  it("is refused if the fields of the request contradict each other, and the wrong field is named", async () => {
    const { reservationId } = await deposited();
    const holderPublicKey = holder.publicKey;
    const collect = { reservationId, act: Act.COLLECT };
    const service = { siteId, act: Act.SERVICE, holderPublicKey };
    const wrong: [TestParticipant, string, Asked][] = [
      [courier, "reservation_id", { act: Act.COLLECT }],
      [courier, "reservation_id", { act: Act.RECALL, holderPublicKey }],
      [courier, "site_id", { ...collect, siteId }],
      [courier, "compartment_id", { ...collect, compartmentId: "A1" }],
      [courier, "holder_public_key", { reservationId, act: Act.RECALL }],
      [courier, "holder_public_key", { ...collect, holderPublicKey: new Uint8Array(32) }],
      [courier, "holder_public_key", { ...collect, holderPublicKey: new Uint8Array(31).fill(1) }],
      [courier, "with_pin", { ...collect, holderPublicKey, withPin: true }],
      [courier, "with_pin", { reservationId, act: Act.RECALL, holderPublicKey, withPin: true }],
      [operator, "reservation_id", { ...service, reservationId }],
      [operator, "site_id", { act: Act.SERVICE, holderPublicKey }],
      [operator, "holder_public_key", { siteId, act: Act.SERVICE }],
      [operator, "compartment_id", { ...service, compartmentId: "A 1" }],
    ];
    for (const [by, field, asked] of wrong) {
      const error: unknown = await issue(by, asked).catch((failure: unknown) => failure);
      expect([field, reasonOf(error), String(error)]).toEqual([field, "INVALID_FIELD", expect.stringContaining(field)]);
    }
  });

  it("that is bound to a key opens for the holder of that key, also to collect", async () => {
    const { reservationId } = await deposited();
    const { accessToken } = await issue(courier, { reservationId, act: Act.COLLECT, holderPublicKey: holder.publicKey });
    expect(await terminal.agent.present({ token: accessToken })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
    expect(await terminal.agent.present(await proven(accessToken))).toMatchObject({ opened: true, act: Act.COLLECT });
  });
});
