import { randomUUID } from "node:crypto";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { createLogger, rotateIssuer } from "@petak/gateway";
import { Act, Role, reasonOf } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, tempDir, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";

const redis = useRedis();
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 5, 1);
/** The key is announced on day 1, signs from an hour into day 8, and is the only one from two hours into day 22. */
const announcedMs = startMs + dayMs;
const signsMs = announcedMs + 7 * dayMs + hourMs;
const aloneMs = signsMs + 14 * dayMs + hourMs;
let clock: FrozenClock;
let secretsPath: string;
/** Two gateways over the same store and the same secrets. */
let gateways: [TestNetwork, TestNetwork];
let operator: TestParticipant;
let courier: TestParticipant;
/** The reservations made in a test. */
let reservationIds: string[];

beforeEach(async () => {
  reservationIds = [];
  clock = createFrozenClock(startMs);
  const dataDir = await tempDir();
  secretsPath = join(dataDir, "gateway-secrets.json");
  gateways = [await startGateway(dataDir), await startGateway(dataDir)];
  operator = await gateways[0].join("Operator", [Role.OPERATOR]);
  courier = await gateways[0].join("Courier", [Role.COURIER]);
  return () => Promise.all(gateways.map((gateway) => gateway.stop()));
});

function startGateway(dataDir: string): Promise<TestNetwork> {
  return startTestNetwork({
    redis,
    now: clock.now,
    dataDir,
    depositDefaultMs: 7 * dayMs,
    // The lifetime of the longest token.
    collectWithinMs: 14 * dayMs,
    secretsIntervalMs: 10,
    logger: createLogger({ level: "silent" }),
  });
}

type TestTerminal = SimulatedTerminal & { siteId: string };

/** A site whose agent synchronizes when the test says so. */
async function startTerminal(ref: string): Promise<TestTerminal> {
  const site = makeSite({ ref, latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 20]] });
  const siteId = await gateways[0].putSite(operator, site);
  const cabinet = Array.from({ length: 20 }, (_, index) => ({ compartmentId: `M${index}`, sizeClassId: "M" }));
  const terminal = await gateways[1].openTerminal(operator, siteId, { cabinet, after: () => () => {} });
  expect(terminal.store.trustBundle()).toBeDefined();
  return Object.assign(terminal, { siteId });
}

/** A request for a token to deposit at a site. */
async function requestOf({ siteId }: Pick<TestTerminal, "siteId">): Promise<{ requestId: string; reservationId: string; act: Act }> {
  const { reservations } = courier.client;
  const { reservation } = await reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
  });
  const reservationId = reservation?.reservationId ?? "";
  reservationIds.push(reservationId);
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  return { requestId: randomUUID(), reservationId, act: Act.DEPOSIT };
}

/** A token to collect a deposited parcel, valid for 14 days. */
async function tokenFor(terminal: TestTerminal): Promise<string> {
  const { issueCredential } = courier.client.reservations;
  const request = await requestOf(terminal);
  await expectOpens(terminal, (await issueCredential(request)).accessToken);
  return (await issueCredential({ ...request, requestId: randomUUID(), act: Act.COLLECT })).accessToken;
}

async function expectOpens(terminal: TestTerminal, token: string): Promise<void> {
  const presentation = await terminal.agent.present({ token });
  expect(presentation).toMatchObject({ opened: true });
  if (presentation.opened) terminal.useDoor(presentation);
  // A report that is under way when the clock is set is refused, and without timers never sent again.
  await terminal.agent.flushed();
}

function keyIdOf(token: string): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}

/** The key ids that each gateway publishes. */
async function publishedKeyIds(): Promise<string[][]> {
  const answers = gateways.map(({ baseUrl }) => fetch(`${baseUrl}/.well-known/petak/jwks.json`).then((answer) => answer.json()));
  return ((await Promise.all(answers)) as { keys: { kid: string }[] }[]).map(({ keys }) => keys.map(({ kid }) => kid));
}

it("an issuer key is rotated without stopping gateways, and every token opens at agents that are online, offline over the announcement or offline over the change", async () => {
  const [online, late] = [await startTerminal("online"), await startTerminal("late")];
  const [[oldId] = []] = await publishedKeyIds();
  const firstVersion = online.store.trustBundle()?.version ?? 0n;

  clock.set(announcedMs);
  // One agent's last trust bundle for almost a week does not contain the key.
  const early = await startTerminal("early");
  const [first, second] = await rotateIssuer(secretsPath, clock.now());
  expect([first.notAfterMs, second?.signsFromMs]).toEqual([aloneMs, signsMs]);
  const newId = second?.key.keyId;
  await expect.poll(publishedKeyIds).toEqual([
    [oldId, newId],
    [oldId, newId],
  ]);
  await online.agent.syncNow();
  expect(online.store.trustBundle()?.version).toBe(BigInt(announcedMs / 1000));
  expect(online.store.trustBundle()?.version).toBeGreaterThan(firstVersion);
  const before = [await tokenFor(online), await tokenFor(early), await tokenFor(late)];
  expect(before.map(keyIdOf)).toEqual([oldId, oldId, oldId]);

  // Another agent receives the key two days before the change and nothing after that.
  clock.set(signsMs - 2 * dayMs);
  await late.agent.syncNow();
  clock.set(announcedMs + 7 * dayMs - 1000);
  await expectOpens(early, before[1] ?? "");
  await expectOpens(early, await tokenFor(early));

  clock.set(signsMs - 1000);
  await Promise.all([online.agent.syncNow(), early.agent.syncNow()]);
  const last = [await tokenFor(online), await tokenFor(early), await tokenFor(late)];
  const repeated = await requestOf(online);
  const lastRepeated = (await courier.client.reservations.issueCredential(repeated)).accessToken;
  expect([...last, lastRepeated].map(keyIdOf)).toEqual([oldId, oldId, oldId, oldId]);

  clock.set(signsMs);
  const after = [await tokenFor(online), await tokenFor(early), await tokenFor(late)];
  expect(after.map(keyIdOf)).toEqual([newId, newId, newId]);
  expect(await publishedKeyIds()).toEqual([
    [newId, oldId],
    [newId, oldId],
  ]);
  // No agent was informed of the change, and none needs to be.
  for (const [index, terminal] of [online, early, late].entries()) await expectOpens(terminal, after[index] ?? "");
  await online.agent.syncNow();
  expect(online.store.trustBundle()?.version).toBe(BigInt(signsMs / 1000));

  clock.set(signsMs + 4 * dayMs);
  await expectOpens(late, last[2] ?? "");
  await expectOpens(late, before[2] ?? "");
  await expectOpens(late, await tokenFor(late));
  // A repeated request gets the same response, also from the other gateway.
  const other = gateways[1].clientFor(courier.signer);
  expect((await other.reservations.issueCredential(repeated)).accessToken).toBe(lastRepeated);

  clock.set(signsMs + 14 * dayMs - 2000);
  await Promise.all([online.agent.syncNow(), early.agent.syncNow()]);
  await expectOpens(online, last[0] ?? "");
  await expectOpens(early, last[1] ?? "");

  clock.set(aloneMs);
  expect(await publishedKeyIds()).toEqual([[newId], [newId]]);
  await online.agent.syncNow();
  expect(online.store.trustBundle()?.version).toBe(BigInt(aloneMs / 1000));
  await expectOpens(online, await tokenFor(online));
  await rotateIssuer(secretsPath, clock.now());
  await expect
    .poll(async () => (await publishedKeyIds()).map((ids) => [ids[0], ids.length]))
    .toEqual([
      [newId, 2],
      [newId, 2],
    ]);
  // The first key no longer opens doors, but its signatures can still be verified.
  const issuerKeys = await publishedIssuerKeys(gateways[1].baseUrl);
  expect(issuerKeys.map(({ keyId }) => keyId)).toEqual([oldId, newId, expect.any(String)]);
  const signers = new Set<string>();
  for (const reservationId of reservationIds) {
    const { events } = await expectTrueChain(courier, reservationId, issuerKeys);
    for (const { receipt } of events) if (receipt !== undefined) signers.add(receipt.issuerKeyId);
  }
  expect(signers).toEqual(new Set([oldId, newId]));
});

it("a gateway whose copy of the secrets was not replaced continues for half an hour, then issues nothing and is not ready until it has the new file", async () => {
  const dataDir = join(await tempDir(), "copy");
  await mkdir(dataDir);
  const copyPath = join(dataDir, "gateway-secrets.json");
  await copyFile(secretsPath, copyPath);
  const late = await startGateway(dataDir);
  onTestFinished(() => late.stop());
  const { siteId, agent } = await startTerminal("site");
  const { reservations } = late.clientFor(courier.signer, { retry: false });
  const request = await requestOf({ siteId });
  const isReady = async () => (await fetch(`${late.baseUrl}/readyz`)).ok;

  clock.set(announcedMs);
  await rotateIssuer(secretsPath, clock.now());
  await expect.poll(async () => (await publishedKeyIds()).map((ids) => ids.length)).toEqual([2, 2]);
  const issued = await reservations.issueCredential(request);
  expect(await isReady()).toBe(true);

  clock.advance(30 * 60_000);
  await expect.poll(isReady).toBe(false);
  expect(reasonOf(await reservations.issueCredential(request).catch((error: unknown) => error))).toBe("STORE_UNAVAILABLE");
  // Another gateway returns the same response, and agents receive the new key from it.
  expect(await courier.client.reservations.issueCredential(request)).toEqual(issued);
  await agent.syncNow();

  await copyFile(secretsPath, copyPath);
  await expect.poll(isReady).toBe(true);
  expect(await reservations.issueCredential(request)).toEqual(issued);
});
