import { join } from "node:path";
import { rotateIssuer, secretsFileName } from "@petak/gateway";
import { type AuditEntry, AuditKind, AuditProof, Mode, Role } from "@petak/protocol";
import { createTempDir, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { expect, it, onTestFinished } from "vitest";

const redis = useRedis();
const defaults = { reflection: "false", durability: "everysec" };

async function start(dataDir: string, version: string, settings: Record<string, string>): Promise<TestNetwork> {
  const network = await startTestNetwork({ redis, dataDir, secretsIntervalMs: 20, statedStart: { version, settings, defaults } });
  onTestFinished(() => network.stop());
  return network;
}

/** The gateways' own entries in the live network. */
async function own({ admin }: TestNetwork): Promise<AuditEntry[]> {
  return (await admin.client.audit.listAuditEntries({ participantId: "gateway" })).entries;
}

it("a gateway records what no call changes: its settings and version, its issuer keys and its administrator", async () => {
  const folder = await createTempDir();
  onTestFinished(() => folder.remove());
  const dataDir = folder.path;
  const first = await start(dataDir, "1.0.0", { ...defaults, reflection: "true" });
  const entries = await own(first);
  const summaryOf = (method: string) => entries.filter((entry) => entry.method === method).map(({ summary }) => summary);
  expect(summaryOf("GATEWAY_STARTED")).toEqual(["version 1.0.0; reflection false -> true"]);
  expect(summaryOf("ISSUER_KEY_ANNOUNCED")).toEqual([expect.stringMatching(/^issuer key, signs from /)]);
  expect(entries.find(({ method }) => method === "ADMINISTRATOR_REGISTERED")).toMatchObject({
    ...{ kind: AuditKind.KEY, objectId: first.admin.signer.keyId, ownerId: first.admin.participantId },
    summary: "registered, live, from the administrator's key file",
  });
  for (const entry of entries) {
    expect(entry).toMatchObject({ participantId: "gateway", keyId: "", requestId: "", proof: AuditProof.OPERATORS_PROCESS });
    expect([entry.requestTokenSha256.length, entry.proofSha256.length]).toEqual([0, 0]);
  }

  await rotateIssuer(join(dataDir, secretsFileName), Date.now());
  const announced = async () => (await own(first)).filter(({ method }) => method === "ISSUER_KEY_ANNOUNCED").length;
  await expect.poll(announced).toBe(2);
  const auditor = await first.withMode(await first.join("Auditor", [Role.AUDITOR]), Mode.TEST);
  const inTest = (await auditor.client.audit.listAuditEntries({ kind: AuditKind.GATEWAY })).entries;
  expect(inTest.map(({ method }) => method)).toEqual(["GATEWAY_STARTED", "ISSUER_KEY_ANNOUNCED", "ISSUER_KEY_ANNOUNCED"]);
});

it("a start is recorded where version or settings are others than at the last one, once, however many gateways start", async () => {
  const folder = await createTempDir();
  onTestFinished(() => folder.remove());
  const starts = async (network: TestNetwork) =>
    (await own(network)).filter(({ method }) => method === "GATEWAY_STARTED").map(({ summary }) => summary);
  const before = await start(folder.path, "1.0.0", defaults);
  const [one] = await Promise.all([start(folder.path, "1.0.0", defaults), start(folder.path, "1.0.0", defaults)]);
  expect(await starts(before)).toEqual(["version 1.0.0; no other settings"]);
  await Promise.all([start(folder.path, "1.1.0", { durability: "always" }), start(folder.path, "1.1.0", { durability: "always" })]);
  expect(await starts(one)).toEqual([
    "version 1.0.0; no other settings",
    "version 1.1.0; reflection false -> empty, durability everysec -> always",
  ]);
});
