import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair } from "@petak/client/node";
import { holderPresence, newChallenge, provePresence } from "@petak/credential";
import { Act, CancellationReason, DeviceEventType, DoubtReason, EventType, ProofKind, ReservationState, Role } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { createFrozenClock, type FrozenClock, makeSite, type SiteFacts, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const minuteMs = 60_000;
const dayMs = 86_400_000;
const { PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOOR_OPENED } = DeviceEventType;
const { CONFIRMED, DEPOSITED, COLLECTED, RECALLED, IN_DOUBT, NO_SHOW } = ReservationState;
/** The hash of no credential. */
const inventedHash = "A".repeat(43);

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let agent: SiteReporter;

beforeAll(async () => {
  clock = createFrozenClock();
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});
beforeEach(async () => {
  siteId = await addSite();
  agent = await network.reporterAt(operator, siteId);
});

async function addSite(): Promise<string> {
  const classes: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, 9]];
  return await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, ref: randomUUID(), classes }));
}

async function confirmed(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

async function deposited(): Promise<string> {
  const reservationId = await confirmed();
  await agent.report({ type: PARCEL_DEPOSITED, reservationId });
  return reservationId;
}

type IssueRequest = Parameters<TestParticipant["client"]["reservations"]["issueCredential"]>[0];

async function hashOf(reservationId: string, act: Act, more: IssueRequest = {}): Promise<string> {
  const request = { requestId: randomUUID(), reservationId, act, ...more };
  return (await courier.client.reservations.issueCredential(request)).credentialHash;
}

/** Issues a token that is bound to a key, and makes the presence of its holder. */
async function bound(reservationId: string, act: Act) {
  const { publicKey: holderPublicKey, privateJwk } = await generateKeyPair();
  const request = { requestId: randomUUID(), reservationId, act, holderPublicKey };
  const { accessToken, credentialHash } = await courier.client.reservations.issueCredential(request);
  const proof = await provePresence({ token: accessToken, challenge: newChallenge(), privateJwk });
  const presence = holderPresence(accessToken, proof);
  return { accessToken, credentialHash, presence, shown: { act, proofKind: ProofKind.BOUND_ACCESS_TOKEN, presence } };
}

type Named = Partial<Parameters<SiteReporter["report"]>[0]>;

/** Reports with a credential, as an agent does, and returns the state after it. */
async function stateAfter(
  type: DeviceEventType,
  reservationId: string,
  credentialHash: string,
  more: Named = {},
): Promise<ReservationState> {
  await agent.report({ type, reservationId, credentialHash, proofKind: ProofKind.ACCESS_TOKEN, ...more });
  return (await reservationOf(reservationId)).state;
}

async function reservationOf(reservationId: string) {
  const { reservation } = await courier.client.reservations.getReservation({ reservationId });
  if (reservation === undefined) throw new Error(`no reservation ${reservationId}`);
  return reservation;
}

/** The hash that the site's agent reports of the only PIN that it knows. */
async function pinHash(): Promise<string> {
  const { agents } = network.clientFor(await network.agentSigner(operator, siteId));
  const { allowances, bundles } = await agents.sync({ siteId });
  const [hash] = [...allowances, ...bundles].map((one) => one.pinHash).filter(({ length }) => length > 0);
  const id = Buffer.from(hash ?? []).toString("base64url");
  return Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(id))).toString("base64url");
}

async function putBundle(reservationIds: string[], bundleId = ""): Promise<string> {
  const { bundle } = await courier.client.reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds });
  return bundle?.bundleId ?? "";
}

describe("a report of custody with a credential that was never issued", () => {
  it.each([
    { type: PARCEL_DEPOSITED, reported: EventType.PARCEL_DEPOSITED },
    { type: PARCEL_COLLECTED, reported: EventType.PARCEL_COLLECTED },
    { type: PARCEL_RECALLED, reported: EventType.PARCEL_RECALLED },
  ])("is doubt that says so to operator and courier: $reported", async ({ type, reported }) => {
    const reservationId = type === PARCEL_DEPOSITED ? await confirmed() : await deposited();
    expect(await stateAfter(type, reservationId, inventedHash)).toBe(IN_DOUBT);
    for (const party of [courier, operator]) {
      const chain = await expectTrueChain(party, reservationId, await publishedIssuerKeys(network.baseUrl));
      expect(chain.events.at(-1)).toMatchObject({
        type: EventType.RESERVATION_IN_DOUBT,
        doubtReason: DoubtReason.CREDENTIAL_NOT_ISSUED,
        reportedType: reported,
        proof: { credentialHash: inventedHash },
      });
      expect(chain.receipts.some(({ jws }) => jws.includes(inventedHash))).toBe(false);
    }
    // What the reservation's own credential opens is custody again.
    if (type === PARCEL_DEPOSITED) return;
    await agent.report({ type: PARCEL_COLLECTED, reservationId });
    expect((await reservationOf(reservationId)).state).toBe(COLLECTED);
  });

  it("ends no doubt, and changes nothing of a parcel that has left", async () => {
    const reservationId = await deposited();
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, inventedHash)).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, inventedHash)).toBe(IN_DOUBT);
    await agent.report({ type: PARCEL_COLLECTED, reservationId });
    expect(await stateAfter(PARCEL_RECALLED, reservationId, inventedHash)).toBe(COLLECTED);
    const { events } = await operator.client.custody.getCustodyChain({ reservationId });
    expect(events.at(-1)).toMatchObject({ type: EventType.RESERVATION_IN_DOUBT, stateAfter: COLLECTED });
  });

  it("is doubt with the credential of another act, of another reservation, without one, or called a PIN", async () => {
    const toDeposit = await confirmed();
    const hash = await hashOf(toDeposit, Act.DEPOSIT);
    expect(await stateAfter(PARCEL_DEPOSITED, await confirmed(), hash)).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_DEPOSITED, toDeposit, hash)).toBe(DEPOSITED);
    expect(await stateAfter(PARCEL_COLLECTED, toDeposit, hash)).toBe(IN_DOUBT);
    const other = await deposited();
    expect(await stateAfter(PARCEL_COLLECTED, other, await hashOf(other, Act.COLLECT), { proofKind: ProofKind.PIN })).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_COLLECTED, await deposited(), "", { proofKind: ProofKind.UNSPECIFIED })).toBe(IN_DOUBT);
  });

  it("opens a door for no deposit that puts the deadline off", async () => {
    const reservationId = await confirmed();
    const limitMs = timestampMs((await reservationOf(reservationId)).depositUntil ?? timestampFromMs(0));
    const hash = await hashOf(reservationId, Act.DEPOSIT);
    clock.set(limitMs - minuteMs);
    await stateAfter(DOOR_OPENED, reservationId, inventedHash, { act: Act.DEPOSIT });
    expect((await reservationOf(reservationId)).depositUntil).toEqual(timestampFromMs(limitMs));
    await stateAfter(DOOR_OPENED, reservationId, hash, { act: Act.DEPOSIT });
    expect((await reservationOf(reservationId)).depositUntil).toEqual(timestampFromMs(clock.now() + 10 * minuteMs));
  });
});

describe("a report that the holder of a bound token was there", () => {
  it("is custody with the holder's proof, which stands in the receipt for whoever verifies the chain", async () => {
    const reservationId = await confirmed();
    const [toDeposit, toCollect] = [await bound(reservationId, Act.DEPOSIT), await bound(reservationId, Act.COLLECT)];
    expect(await stateAfter(PARCEL_DEPOSITED, reservationId, toDeposit.credentialHash, toDeposit.shown)).toBe(DEPOSITED);
    const { holder, child } = await delegated(toCollect.accessToken);
    const proof = await provePresence({ token: child.accessToken, challenge: newChallenge(), privateJwk: holder.privateJwk });
    const presence = holderPresence(child.accessToken, proof);
    const more = { proofKind: ProofKind.BOUND_ACCESS_TOKEN, presence, delegated: true, act: Act.COLLECT };
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, child.credentialHash, { delegated: true })).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, child.credentialHash, more)).toBe(COLLECTED);
    const { receipts } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    const said = receipts.map(({ jws }) => JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString()).proof?.presence);
    expect(said).toEqual([undefined, toDeposit.presence, presence]);
  });

  it.each([
    { of: "nobody", reason: DoubtReason.PRESENCE_NOT_PROVEN, shown: async () => ({ proofKind: ProofKind.BOUND_ACCESS_TOKEN }) },
    {
      of: "the holder of another reservation's token",
      reason: DoubtReason.PRESENCE_NOT_PROVEN,
      shown: async () => (await bound(await deposited(), Act.COLLECT)).shown,
    },
    {
      of: "the holder of another token of the reservation",
      reason: DoubtReason.PRESENCE_NOT_PROVEN,
      shown: async (reservationId: string) => (await bound(reservationId, Act.COLLECT)).shown,
    },
    // A token that is bound opens nothing without its holder.
    { of: "nobody, by a token that is bound", reason: DoubtReason.CREDENTIAL_NOT_ISSUED, shown: async () => ({}) },
  ])("is doubt with the proof of $of", async ({ reason, shown }) => {
    const reservationId = await deposited();
    const { credentialHash } = await bound(reservationId, Act.COLLECT);
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, credentialHash, await shown(reservationId))).toBe(IN_DOUBT);
    const { events } = await operator.client.custody.getCustodyChain({ reservationId });
    expect(events.at(-1)).toMatchObject({ doubtReason: reason, reportedType: EventType.PARCEL_COLLECTED });
  });

  it("is doubt with a proof beside a token that is bound to no key, and a recall without one", async () => {
    const reservationId = await deposited();
    const { presence } = await bound(reservationId, Act.COLLECT);
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, await hashOf(reservationId, Act.COLLECT), { presence })).toBe(IN_DOUBT);
    const other = await deposited();
    expect(await stateAfter(PARCEL_RECALLED, other, (await bound(other, Act.RECALL)).credentialHash)).toBe(IN_DOUBT);
  });
});

/** Makes a token of a bound one for another holder. */
async function delegated(accessToken: string) {
  const holder = await generateKeyPair();
  const request = { requestId: randomUUID(), accessToken, holderPublicKey: holder.publicKey };
  return { holder, child: await courier.client.reservations.delegateCredential(request) };
}

describe("a report of custody is believed", () => {
  it("with each token of several, bound ones and revoked ones too, and twice is once", async () => {
    const reservationId = await confirmed();
    const first = await hashOf(reservationId, Act.DEPOSIT);
    await hashOf(reservationId, Act.DEPOSIT);
    expect(await stateAfter(PARCEL_DEPOSITED, reservationId, first)).toBe(DEPOSITED);
    expect(await stateAfter(PARCEL_DEPOSITED, reservationId, first)).toBe(DEPOSITED);
    const recall = await bound(reservationId, Act.RECALL);
    await courier.client.reservations.revokeCredential({
      requestId: randomUUID(),
      subject: { case: "reservationId", value: reservationId },
      credentialHash: recall.credentialHash,
    });
    // The agent was offline and had not heard.
    expect(await stateAfter(PARCEL_RECALLED, reservationId, recall.credentialHash, recall.shown)).toBe(RECALLED);
  });

  it("with a delegate's token and with what it was made of", async () => {
    for (const isDelegates of [true, false]) {
      const reservationId = await deposited();
      const own = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
      const made = await courier.client.reservations.delegateCredential({ requestId: randomUUID(), accessToken: own.accessToken });
      const { credentialHash } = isDelegates ? made : own;
      expect(await stateAfter(PARCEL_COLLECTED, reservationId, credentialHash, { delegated: isDelegates })).toBe(COLLECTED);
    }
  });

  it("with a PIN whose end was moved, days after the first one", async () => {
    const reservationId = await deposited();
    await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
    const until = timestampFromMs(clock.now() + 10 * dayMs);
    await courier.client.reservations.extend({ requestId: randomUUID(), reservationId, until });
    const hash = await pinHash();
    clock.advance(9 * dayMs);
    expect(await stateAfter(PARCEL_COLLECTED, reservationId, hash, { proofKind: ProofKind.PIN })).toBe(COLLECTED);
  });

  it("with a bundle's token, PIN or delegate for its parcels, and for none that never was in it", async () => {
    const members = [await deposited(), await deposited(), await deposited()];
    const [one = "", two = "", three = ""] = members;
    const bundleId = await putBundle(members);
    const own = await courier.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true });
    const made = await courier.client.reservations.delegateCredential({ requestId: randomUUID(), accessToken: own.accessToken });
    expect(await stateAfter(PARCEL_COLLECTED, await deposited(), own.credentialHash, { bundleId })).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_COLLECTED, await deposited(), own.credentialHash)).toBe(IN_DOUBT);
    expect(await stateAfter(PARCEL_COLLECTED, one, own.credentialHash, { bundleId })).toBe(COLLECTED);
    expect(await stateAfter(PARCEL_COLLECTED, two, await pinHash(), { bundleId, proofKind: ProofKind.PIN })).toBe(COLLECTED);
    expect(await stateAfter(PARCEL_COLLECTED, three, made.credentialHash, { bundleId, delegated: true })).toBe(COLLECTED);
  });

  it("of a parcel that has left its bundle while the agent was offline", async () => {
    const [one, two] = [await deposited(), await deposited()];
    const bundleId = await putBundle([one, two]);
    const { credentialHash } = await courier.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId });
    await putBundle([two], bundleId);
    const otherId = await putBundle([one]);
    expect((await reservationOf(one)).bundleId).toBe(otherId);
    expect(await stateAfter(PARCEL_COLLECTED, one, credentialHash, { bundleId, offline: true })).toBe(COLLECTED);
  });

  it("not of a reservation after Redirect with the credential of the one before, nor of that one", async () => {
    const before = await confirmed();
    const hash = await hashOf(before, Act.DEPOSIT);
    const [first, there] = [agent, await addSite()];
    const request = { requestId: randomUUID(), reservationId: before, reason: CancellationReason.REROUTED };
    const place = { case: "siteId", value: there } as const;
    const { reservation } = await courier.client.reservations.redirect({ ...request, place });
    const after = reservation?.reservationId ?? "";
    agent = await network.reporterAt(operator, there);
    expect(await stateAfter(PARCEL_DEPOSITED, after, hash)).toBe(IN_DOUBT);
    agent = first;
    expect(await stateAfter(PARCEL_DEPOSITED, before, hash)).toBe(IN_DOUBT);
  });

  it("from an agent that was offline for two weeks, at the time when it happened", async () => {
    const reservationId = await confirmed();
    const hash = await hashOf(reservationId, Act.DEPOSIT);
    const occurredAt = timestampFromMs(clock.now() + minuteMs);
    clock.advance(14 * dayMs);
    await expect.poll(async () => (await reservationOf(reservationId)).state).toBe(NO_SHOW);
    expect(await stateAfter(PARCEL_DEPOSITED, reservationId, hash, { occurredAt, offline: true })).toBe(DEPOSITED);
  });

  it("whatever it names where the reservation is from before credentials were recorded", async () => {
    const old = await confirmed();
    clock.advance(minuteMs);
    const store = createKeys(network.shared.keyPrefix).issuedSince();
    await redis.client.set(store, clock.now());
    onTestFinished(async () => void (await redis.client.set(store, 0)));
    expect(await stateAfter(PARCEL_DEPOSITED, old, inventedHash)).toBe(DEPOSITED);
    expect(await stateAfter(PARCEL_DEPOSITED, await confirmed(), inventedHash)).toBe(IN_DOUBT);
    expect((await reservationOf(await confirmed())).state).toBe(CONFIRMED);
  });
});
