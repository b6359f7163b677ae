import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readIssuerKeySet, toIssuerKeySet } from "@petak/credential";
import { createRandom, tempDir, testSeed } from "@petak/testkit";
import { expect, it } from "vitest";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { signingKey } from "./issuer-epochs.ts";
import { readIssuerKeyPeriods, rotateIssuer } from "./rotate-issuer.ts";
import { earliestAnnouncementMs } from "./rotation.ts";

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);

it("every key that ever signed stays published, and each signing time is in the period of exactly one key", async () => {
  const random = createRandom(testSeed());
  const path = join(await tempDir(), "gateway-secrets.json");
  let nowMs = startMs;
  const secrets = await loadGatewaySecrets(path, () => nowMs);
  const signed: { atMs: number; keyId: string; publicKey: Uint8Array }[] = [];
  for (let rotation = 0; rotation < 6; rotation += 1) {
    nowMs = earliestAnnouncementMs(secrets.issuerEpochs(), nowMs) + random.int(0, 60 * 24) * 3_600_000;
    await rotateIssuer(path, nowMs, nowMs + random.int(8, 60) * dayMs);
    await secrets.refresh();
    const untilMs = earliestAnnouncementMs(secrets.issuerEpochs(), nowMs);
    for (let sample = 0; sample < 20; sample += 1) {
      const atMs = nowMs + random.int(0, untilMs - nowMs);
      const { keyId, publicKey } = signingKey(secrets.issuerEpochs(), atMs);
      signed.push({ atMs, keyId, publicKey });
    }
  }
  const periods = await readIssuerKeySet(JSON.parse(JSON.stringify(toIssuerKeySet(await readIssuerKeyPeriods(path)))));
  expect(periods).toHaveLength(7);
  expect(new Set(periods.map(({ keyId }) => keyId)).size).toBe(7);
  for (const { atMs, keyId, publicKey } of signed) {
    const fitting = periods.filter(({ signsFromMs = 0, signsUntilMs = Infinity }) => signsFromMs <= atMs && atMs < signsUntilMs);
    expect(fitting.map((period) => [period.keyId, Buffer.from(period.publicKey)])).toEqual([[keyId, Buffer.from(publicKey)]]);
  }
  // The private halves of earlier keys are not kept.
  const written = JSON.parse(await readFile(path, "utf8")) as { past_issuer_keys: object[]; issuer_epochs: object[] };
  expect([written.past_issuer_keys.length, written.issuer_epochs.length]).toEqual([5, 2]);
  for (const key of written.past_issuer_keys) expect(Object.keys(key)).not.toContain("d");
});
