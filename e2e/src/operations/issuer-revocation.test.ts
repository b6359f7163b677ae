import { randomUUID } from "node:crypto";
import { mintAccessToken, newTokenId } from "@petak/credential";
import { loadGatewaySecrets } from "@petak/gateway";
import { Act, EventType, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makeRoot, type OperatorRoot } from "../testing/operator-root.ts";
import { origin } from "../testing/world.ts";

const redis = useRedis();
const dayMs = 86_400_000;
const clock = createFrozenClock(Date.UTC(2026, 5, 1));
const cabinet = [1, 2, 3].map((number) => ({ compartmentId: `M-${number}`, sizeClassId: "M" }));
const notAccepted = { opened: false, refusal: "NOT_ACCEPTED" };
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let root: OperatorRoot;

beforeAll(async () => {
  network = await startTestNetwork({
    redis,
    now: clock.now,
    secretsIntervalMs: 10,
    collectWithinMs: 14 * dayMs,
    depositDefaultMs: 9 * dayMs,
  });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  root = await makeRoot(network.shared.dataDir, clock.now);
  await root.certify(365);
  const isCertified = async () =>
    expect(await (await fetch(`${network.baseUrl}/readyz`)).json()).toMatchObject({ issuerCertificates: "ok" });
  await vi.waitFor(isCertified, { timeout: 60_000 });
});
afterAll(() => network.stop());

async function openTerminal(ref: string) {
  const siteId = await network.putSite(operator, makeSite({ ...origin, ref, classes: [["M", 400, 200, 500, 20_000, 3]] }));
  const terminal = await network.openTerminal(operator, siteId, { cabinet, after: () => () => {}, rootKey: root.rootKey });
  return Object.assign(terminal, { siteId });
}

/** A confirmed reservation, and the request for its token to deposit. */
async function requestAt(siteId: string) {
  const { reservations } = courier.client;
  const { reservation } = await reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
  });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  return { requestId: randomUUID(), reservationId, act: Act.DEPOSIT };
}

const keyOf = (token: string): string => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
const told = async ({ client }: TestParticipant) =>
  (await client.custody.listEvents({})).events.filter(({ type }) => type === EventType.ISSUER_KEY_REVOKED);

it("a leaked issuer key is ended at once: gateways issue by the next one, agents refuse the old one after one sync, and participants hear of it", async () => {
  const [online, offline] = [await openTerminal("online"), await openTerminal("offline")];
  const { reservations } = courier.client;
  const [request, other, unused] = [await requestAt(online.siteId), await requestAt(offline.siteId), await requestAt(online.siteId)];
  const before = await reservations.issueCredential(request);
  const elsewhere = await reservations.issueCredential(other);
  const withPin = await requestAt(online.siteId);
  const early = await reservations.issueCredential(withPin);
  await online.agent.syncNow();
  expect(await online.visit({ token: early.accessToken })).toMatchObject({ opened: true });
  const { pin } = await reservations.issueCredential({ ...withPin, requestId: randomUUID(), act: Act.COLLECT, withPin: true });
  await Promise.all([online.agent.syncNow(), offline.agent.syncNow()]);
  const [epoch] = (await loadGatewaySecrets(`${network.shared.dataDir}/gateway-secrets.json`)).issuerEpochs();
  const leaked = epoch.key;
  expect(keyOf(before.accessToken)).toBe(leaked.keyId);

  clock.advance(dayMs);
  const { epochs } = await root.revoke(leaked.keyId);
  const next = epochs[0].key.keyId;
  await expect.poll(async () => keyOf((await reservations.issueCredential(request)).accessToken)).toBe(next);

  // Whoever asks again gets the same credential by the new key, which is recorded as issued.
  const again = await reservations.issueCredential(request);
  expect({ ...again, accessToken: "" }).toEqual({ ...before, accessToken: "" });
  await online.agent.syncNow();
  const forged = await mintAccessToken({
    issuerKey: leaked,
    act: Act.DEPOSIT,
    siteId: online.siteId,
    reservationId: unused.reservationId,
    tokenId: newTokenId(),
    notBeforeMs: clock.now(),
    expiresAtMs: clock.now() + dayMs,
    sizeClassIndex: 0,
  });
  for (const token of [before.accessToken, forged]) expect(await online.agent.present({ token })).toEqual(notAccepted);
  expect(await online.visit({ token: again.accessToken })).toMatchObject({ opened: true });
  const { events } = await courier.client.custody.getCustodyChain({ reservationId: request.reservationId });
  expect(events.map(({ type }) => type)).toContain(EventType.PARCEL_DEPOSITED);
  // PINs are not signed by it.
  expect(await online.visit({ pin })).toMatchObject({ opened: true });

  for (const participant of [courier, operator]) {
    await expect.poll(async () => (await told(participant)).length).toBeGreaterThan(0);
    expect(await told(participant)).toMatchObject([{ issuerRevocation: { issuerKeyId: leaked.keyId } }]);
  }

  // An agent that has heard nothing goes on with its bundle, and no longer.
  clock.advance(6 * dayMs - 1000);
  expect(await offline.agent.present({ token: elsewhere.accessToken })).toMatchObject({ opened: true });
  clock.advance(1000);
  const late = await mintAccessToken({
    issuerKey: leaked,
    act: Act.DEPOSIT,
    siteId: offline.siteId,
    reservationId: other.reservationId,
    tokenId: newTokenId(),
    notBeforeMs: clock.now(),
    expiresAtMs: clock.now() + dayMs,
    sizeClassIndex: 0,
  });
  expect(await offline.agent.present({ token: late })).toEqual(notAccepted);
});
