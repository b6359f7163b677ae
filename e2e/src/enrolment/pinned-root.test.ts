import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { enrolDevice, readDevice } from "@petak/agent/device";
import { createPetakClient } from "@petak/client/node";
import { createTrustBundle, generateIssuerKey, mintAccessToken, newTokenId } from "@petak/credential";
import { rotateIssuer } from "@petak/gateway";
import { Act, AgentService, newReservationId, parseSiteId, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, tempDir, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { newCode } from "../testing/enrolling.ts";
import { makeRoot, type OperatorRoot } from "../testing/operator-root.ts";
import { origin } from "../testing/world.ts";

const redis = useRedis();
const dayMs = 86_400_000;
const clock = createFrozenClock(Date.UTC(2026, 5, 1));
const cabinet = [{ compartmentId: "M-1", sizeClassId: "M" }];
let network: TestNetwork;
let operator: TestParticipant;
let root: OperatorRoot;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now, secretsIntervalMs: 10 });
  operator = await network.join("Operator", [Role.OPERATOR]);
  root = await makeRoot(network.shared.dataDir, clock.now);
  await root.certify(365);
  while ((await certificates()) !== "ok");
});
afterAll(() => network.stop());

/** What `/readyz` says of the certificates. */
async function certificates(): Promise<unknown> {
  return ((await (await fetch(`${network.baseUrl}/readyz`)).json()) as { issuerCertificates?: string }).issuerCertificates;
}

async function newSite(): Promise<string> {
  return await network.putSite(operator, makeSite({ ...origin, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, 1]] }));
}

/** Enrols a device in a directory. */
async function enrol(siteId: string, dataDir: string, options: { root?: string; isAgain?: boolean; url?: string } = {}) {
  const { code } = await newCode(operator, siteId);
  return await enrolDevice({ dataDir, code, url: network.baseUrl, ...options });
}

it("a device pins the operator's root when it enrols, and a gateway with another root, or none, is noticed", async () => {
  const [siteId, dataDir] = [await newSite(), await tempDir()];
  await expect(enrol(siteId, dataDir, { root: "x".repeat(43) })).rejects.toThrow(
    `the gateway's root key is ${root.fingerprint}, and it should be ${"x".repeat(43)}: it may not be your operator's`,
  );
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId: (await keysAt(siteId))[0] ?? "" });
  const device = await enrol(siteId, dataDir, { root: root.fingerprint });
  expect(Buffer.from(device.rootKey ?? "")).toEqual(Buffer.from(root.rootKey));
  expect(JSON.parse(await readFile(join(dataDir, "device.json"), "utf8"))).toMatchObject({
    root_key: Buffer.from(root.rootKey).toString("base64url"),
  });
  // Enrolled again, where somebody else answers in the gateway's place: refused, and what is pinned stays.
  const { participant_id: participantId, audience } = device.key;
  for (const [rootPublicKey, message] of [
    [new Uint8Array(), /^the gateway gave no root key, and it should have/],
    [(await generateIssuerKey()).publicKey, /^the gateway's root key is .*, and it should be/],
  ] as const) {
    const url = await serve({ enrol: () => ({ participantId, keyId: "key_test_0000000000000000", siteId, audience, rootPublicKey }) });
    const again = enrolDevice({ dataDir, code: (await newCode(operator, siteId)).code, url, isAgain: true });
    await expect(again).rejects.toThrow(message);
  }
  expect((await readDevice(dataDir))?.key.key_id).toBe(device.key.key_id);
});

async function keysAt(siteId: string): Promise<string[]> {
  const { keys } = await operator.client.participants.listKeys({ pageSize: 500 });
  return keys.filter((key) => key.siteId === siteId).map(({ keyId }) => keyId);
}

it("a stranger who answers once in the gateway's place is not believed, with and without a certificate of theirs", async () => {
  const siteId = await newSite();
  const terminal = await network.openTerminal(operator, siteId, { cabinet, after: () => () => {}, rootKey: root.rootKey });
  const strangersKey = await generateIssuerKey();
  const strangersDir = await tempDir();
  const stranger = await startTestNetwork({ redis, keyPrefix: `${redis.keyPrefix}stranger`, dataDir: strangersDir });
  onTestFinished(() => stranger.stop());
  const strangersRoot = await makeRoot(strangersDir, clock.now);
  await strangersRoot.certify(365);
  const ownCertificate = terminal.store.trustBundle()?.issuerKeys[0]?.certificate ?? "";
  expect(ownCertificate).not.toBe("");
  const certificatesOfStranger = JSON.parse(await readFile(join(strangersDir, "issuer-certificates.json"), "utf8")) as {
    certificates: string[];
  };
  const version = BigInt(Math.floor(clock.now() / 1000));
  const offers = ["", ownCertificate, ...certificatesOfStranger.certificates.slice(0, 1)].map((certificate) =>
    createTrustBundle({ version, keys: [{ ...strangersKey, certificate }], issuedAtMs: clock.now(), notAfterMs: clock.now() + 7 * dayMs }),
  );
  const token = await mintAccessToken({
    issuerKey: strangersKey,
    act: Act.DEPOSIT,
    siteId,
    reservationId: newReservationId(parseSiteId(siteId)?.region ?? ""),
    tokenId: newTokenId(),
    notBeforeMs: clock.now(),
    expiresAtMs: clock.now() + dayMs,
    sizeClassIndex: 0,
  });
  let offer: (typeof offers)[number] | undefined;
  const url = await serve({
    boot: () => ({ trustBundle: offer, serverTime: timestampFromMs(clock.now()) }),
    sync: () => ({ version, trustBundle: offer, serverTime: timestampFromMs(clock.now()) }),
  });
  const line = createPetakClient({ baseUrl: url, retry: false });
  onTestFinished(() => line.close());
  for (offer of offers) {
    await terminal.restart({ client: line.agents });
    expect(await terminal.agent.present({ token })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
  }
  expect(terminal.store.trustBundle()?.issuerKeys[0]?.certificate).toBe(ownCertificate);
});

/** Answers in a gateway's place until the test ends. Returns the address. */
async function serve(methods: Partial<ServiceImpl<typeof AgentService>>): Promise<string> {
  const server = createServer(connectNodeAdapter({ routes: (router) => router.service(AgentService, methods) }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("keys are rotated under certificates, over all that were made in advance", async () => {
  const siteId = await newSite();
  const terminal = await network.openTerminal(operator, siteId, { cabinet, after: () => () => {}, rootKey: root.rootKey });
  const courier = await network.join("Courier", [Role.COURIER]);
  const signers = new Set<string>();
  for (let epoch = 0; epoch < 3; epoch++) {
    clock.advance(1000);
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
    });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const issue = (act: Act) => courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act });
    const { accessToken } = await issue(Act.DEPOSIT);
    signers.add(JSON.parse(Buffer.from(accessToken.split(".")[0] ?? "", "base64url").toString()).kid);
    await terminal.agent.syncNow();
    expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
    await terminal.agent.syncNow();
    expect(await terminal.visit({ token: (await issue(Act.COLLECT)).accessToken })).toMatchObject({ opened: true });
    const [, next] = await rotateIssuer(join(network.shared.dataDir, "gateway-secrets.json"), clock.now());
    clock.set(next?.signsFromMs ?? 0);
    await expect.poll(publishedKeys).toEqual([next?.key.keyId, expect.any(String)]);
    clock.advance(15 * dayMs);
  }
  expect(signers.size).toBe(3);
  // The certificates have some 298 days left; the gateway warns when it is less than 30.
  expect(await certificates()).toBe("ok");
  clock.advance(275 * dayMs);
  expect(await certificates()).toBe("ending");
  await root.certify(365);
  await expect.poll(certificates).toBe("ok");
  await terminal.agent.syncNow();
  expect(terminal.store.trustBundle()?.issuerKeys).not.toEqual([]);
});

async function publishedKeys(): Promise<string[]> {
  const answer = await (await fetch(`${network.baseUrl}/.well-known/petak/jwks.json`)).json();
  return (answer as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
}
