import { generateKeyPair } from "@petak/client/node";
import { generateIssuerKey, type IssuerKeyPair, newSerial, signKeyStatement, trustBundleLifetimeMs } from "@petak/credential";
import { Act } from "@petak/protocol";
import { expect, it } from "vitest";
import { notAccepted, startSite, type TestSite } from "./site.ts";

const dayMs = 86_400_000;
const root = await generateKeyPair();
const strangersRoot = await generateKeyPair();
const strangersKey = await generateIssuerKey();

/** A certificate or revocation by a root. */
function state(
  { publicKey, keyId }: Pick<IssuerKeyPair, "publicKey" | "keyId">,
  {
    nowMs,
    by = root,
    type = "certificate" as const,
    days = 365,
  }: { nowMs: number; by?: typeof root; type?: "certificate" | "revocation"; days?: number },
): Promise<string> {
  const notBeforeS = Math.floor(nowMs / 1000);
  const times = { notBeforeS, notAfterS: notBeforeS + days * 86_400 };
  return signKeyStatement(by.privateJwk, type, { kind: "issuer", keyId, publicKey, ...times, serial: newSerial() });
}

/** A site whose gateway's key is certified. Its agent has pinned the root before it boots. */
async function startCertified(days = 365): Promise<TestSite> {
  const site = await startSite({ isUp: false, agent: { rootKey: root.publicKey } });
  const { gateway, timers } = site;
  gateway.bundleVersion = versionOf(site);
  gateway.bundleKeys = [{ ...gateway.issuerKey, certificate: await state(gateway.issuerKey, { nowMs: timers.now(), days }) }];
  gateway.isUp = true;
  await site.agent.syncNow();
  return site;
}

/** The version of a bundle whose keys changed just now. */
const versionOf = ({ timers }: TestSite) => BigInt(Math.floor(timers.now() / 1000));

async function syncWith(
  site: TestSite,
  changes: Partial<Pick<TestSite["gateway"], "bundleKeys" | "revocations" | "bundleVersion">>,
): Promise<void> {
  Object.assign(site.gateway, changes);
  site.gateway.changed();
  await site.agent.syncNow();
}

async function opens(site: TestSite, issuerKey?: IssuerKeyPair): Promise<boolean> {
  const { gateway, agent, cabinet } = site;
  const token = await gateway.token(Act.DEPOSIT, gateway.newReservation(), issuerKey && { issuerKey });
  const outcome = await agent.present({ token });
  if (outcome.opened) {
    cabinet.putIn(outcome.compartmentId);
    cabinet.closeDoor(outcome.compartmentId);
  } else expect(outcome).toEqual(notAccepted);
  return outcome.opened;
}

it("a false answer makes an agent with a root believe no other key, with or without a certificate, also after a restart", async () => {
  const site = await startCertified();
  const { timers, gateway } = site;
  expect(await opens(site)).toBe(true);
  const nowMs = timers.now();
  const stolen = gateway.bundleKeys?.[0]?.certificate ?? "";
  const falseCertificates = ["", stolen, await state(strangersKey, { nowMs, by: strangersRoot }), "not a certificate"];
  for (const certificate of falseCertificates) {
    await syncWith(site, { bundleKeys: [{ ...strangersKey, certificate }], bundleVersion: versionOf(site) });
    expect(site.log.at(-1)).toEqual({
      level: "error",
      message: "the gateway offered issuer keys that the operator's root has not certified; the agent keeps its own until they expire",
    });
    expect(await opens(site, strangersKey)).toBe(false);
  }
  // Without the option, as a program that forgot it: what is pinned stays.
  await site.restart({ rootKey: undefined });
  expect(await opens(site, strangersKey)).toBe(false);
  expect(await opens(site)).toBe(true);
});

it("a bundle with one certified key and another gives the certified one only", async () => {
  const site = await startCertified();
  const [certified] = site.gateway.bundleKeys ?? [];
  if (certified === undefined) throw new Error("no key");
  await syncWith(site, { bundleKeys: [strangersKey, certified] });
  expect(site.store.trustBundle()?.issuerKeys.map(({ keyId }) => keyId)).toEqual([certified.keyId]);
});

it("pinning a root ends what was believed without one", async () => {
  const site = await startSite();
  expect(await opens(site)).toBe(true);
  await site.restart({ rootKey: root.publicKey });
  expect(await opens(site)).toBe(false);
});

it("the next key signs under its certificate", async () => {
  const site = await startCertified();
  const { gateway, timers } = site;
  const next = await generateIssuerKey({ takenKeyIds: new Set([gateway.issuerKey.keyId]) });
  timers.advance(dayMs);
  const certificate = await state(next, { nowMs: timers.now() });
  await syncWith(site, { bundleKeys: [...(gateway.bundleKeys ?? []), { ...next, certificate }], bundleVersion: versionOf(site) });
  expect([await opens(site), await opens(site, next)]).toEqual([true, true]);
});

it("an agent ends a revoked key with one sync, for good, whatever the gateway offers later", async () => {
  const site = await startCertified();
  const { gateway, timers } = site;
  const leaked = gateway.bundleKeys ?? [];
  const next = await generateIssuerKey({ takenKeyIds: new Set([gateway.issuerKey.keyId]) });
  timers.advance(dayMs);
  const nowMs = timers.now();
  const revocation = await state(gateway.issuerKey, { nowMs, type: "revocation" });
  await syncWith(site, {
    bundleKeys: [{ ...next, certificate: await state(next, { nowMs }) }],
    revocations: [revocation],
    bundleVersion: versionOf(site),
  });
  expect([await opens(site), await opens(site, next)]).toEqual([false, true]);
  // Whoever has the leaked key and the line offers it again, with its certificate, without its revocation, later and at another time.
  timers.advance(dayMs);
  await syncWith(site, { bundleKeys: leaked, revocations: [], bundleVersion: versionOf(site) });
  gateway.aheadMs = 500 * dayMs;
  await syncWith(site, { bundleKeys: leaked });
  gateway.aheadMs = 0;
  await site.restart();
  await syncWith(site, { bundleKeys: leaked });
  expect(await opens(site)).toBe(false);
});

it("a revocation by another root, or of another kind, ends nothing", async () => {
  const site = await startCertified();
  const { gateway, timers } = site;
  const nowMs = timers.now();
  const revocations = [
    await state(gateway.issuerKey, { nowMs, type: "revocation", by: strangersRoot }),
    gateway.bundleKeys?.[0]?.certificate ?? "",
  ];
  await syncWith(site, { revocations });
  expect(await opens(site)).toBe(true);
});

it("an agent that is offline believes a revoked key until its bundle ends, 7 days after the last answer", async () => {
  const site = await startCertified();
  const { gateway, timers } = site;
  gateway.isUp = false;
  timers.advance(trustBundleLifetimeMs - 1);
  expect(await opens(site)).toBe(true);
  timers.advance(1);
  expect(await opens(site)).toBe(false);
});

it("keys whose certificates have ended open until the bundle ends, and parcels can be collected as long", async () => {
  const site = await startCertified(10);
  const { timers, gateway } = site;
  const reservationId = gateway.newReservation();
  const placed = await site.agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
  if (!placed.opened) throw new Error("the deposit was refused");
  site.useDoor(placed);
  // The last bundle under the certificate: a second before its end.
  timers.advance(10 * dayMs - 1000);
  await syncWith(site, {});
  timers.advance(7 * dayMs - 2000);
  await syncWith(site, {});
  expect(site.log.filter(({ level }) => level === "error")).not.toEqual([]);
  const token = await gateway.token(Act.COLLECT, reservationId);
  const collected = await site.agent.present({ token });
  expect(collected).toMatchObject({ opened: true });
  timers.advance(2000);
  expect(await opens(site)).toBe(false);
});

it("a false time makes no certificate valid that has ended, and no bundle last beyond 7 days of true time", async () => {
  const site = await startCertified(10);
  const { timers, gateway } = site;
  const ended = gateway.bundleKeys ?? [];
  timers.advance(20 * dayMs);
  const next = await generateIssuerKey({ takenKeyIds: new Set([gateway.issuerKey.keyId]) });
  const certificate = await state(next, { nowMs: timers.now() });
  await syncWith(site, { bundleKeys: [{ ...next, certificate }], bundleVersion: versionOf(site) });
  // The first key leaked long ago; its certificate is over. A false gateway sets the clock back to when it was good.
  gateway.aheadMs = -15 * dayMs;
  await syncWith(site, { bundleKeys: ended, bundleVersion: 1n });
  gateway.aheadMs = 0;
  await syncWith(site, { bundleKeys: ended, bundleVersion: versionOf(site) });
  expect([await opens(site), await opens(site, next)]).toEqual([false, true]);
});

it("without a root too, a bundle that came with a time far ahead ends 7 days after the time is true again, and keeps no true bundle out", async () => {
  const site = await startSite();
  const { timers, gateway } = site;
  gateway.aheadMs = 100 * 365 * dayMs;
  await syncWith(site, { bundleKeys: [strangersKey], bundleVersion: BigInt(Math.floor((timers.now() + gateway.aheadMs) / 1000)) });
  gateway.aheadMs = 0;
  await syncWith(site, { bundleKeys: undefined, bundleVersion: 1n });
  expect(site.store.trustBundle()?.version).toBe(1n);
  expect(await opens(site)).toBe(true);
});
