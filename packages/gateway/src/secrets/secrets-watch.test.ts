import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair } from "@petak/credential";
import { createSecretsFingerprintStore } from "@petak/records";
import { createKeys } from "@petak/redis";
import { createFrozenClock, tempDir, useRedis } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { createLogger } from "../observability/index.ts";
import { requireSharedSecrets } from "./check-shared-secrets.ts";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { installCertificates, prepareIssuerKeys } from "./install-certificates.ts";
import { certifyIssuerKeys, revokeIssuerKey } from "./root-statements.ts";
import { rotateIssuer } from "./rotate-issuer.ts";
import { outdatedGraceMs, watchSecrets } from "./secrets-watch.ts";

const redis = useRedis();
const clock = createFrozenClock();
const dayMs = 86_400_000;

/** A gateway's secrets from a file. The test triggers the checks. */
async function watchFile(path: string) {
  const store = createSecretsFingerprintStore(redis.client, createKeys(redis.keyPrefix));
  const secrets = await loadGatewaySecrets(path, clock.now);
  await requireSharedSecrets(store, secrets, path);
  const lines: { level: number; msg: string }[] = [];
  const logger = createLogger({ level: "info", destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  const watch = watchSecrets({
    secrets,
    path,
    store,
    now: clock.now,
    intervalMs: 3_600_000,
    logger,
    logFailure: (part, error) => logger.error({ err: error }, part),
  });
  onTestFinished(() => watch.stop());
  return { watch, lines, keyIds: () => watch.issuerEpochs().map(({ key }) => key.keyId) };
}

it("gateways with one file use a new key without a restart", async () => {
  const path = join(await tempDir(), "secrets.json");
  const [one, other] = [await watchFile(path), await watchFile(path)];
  const [before] = one.keyIds();
  clock.advance(1000);
  await rotateIssuer(path, clock.now());
  for (const { watch, lines, keyIds } of [one, other, one]) {
    await watch.once();
    expect(keyIds()).toEqual([before, expect.any(String)]);
    expect(lines.map(({ msg }) => msg)).toEqual(["an issuer key was announced"]);
  }
});

it("a gateway with an older copy continues for half an hour, and then refuses calls until it has the newer one", async () => {
  const [path, copy] = [join(await tempDir(), "secrets.json"), join(await tempDir(), "secrets.json")];
  const rotated = await watchFile(path);
  await copyFile(path, copy);
  const late = await watchFile(copy);
  clock.advance(1000);
  await rotateIssuer(path, clock.now());
  await rotated.watch.once();
  await late.watch.once();
  expect(late.lines.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "this gateway's secrets are older than those of the other gateways: copy their file here"],
  ]);
  clock.advance(outdatedGraceMs - 1);
  expect(late.keyIds()).toHaveLength(1);
  clock.advance(1);
  expect(late.keyIds).toThrow(expect.objectContaining({ reason: "STORE_UNAVAILABLE", retryAfterMs: 1000 }));
  expect(rotated.keyIds()).toHaveLength(2);
  await copyFile(path, copy);
  await late.watch.once();
  expect(late.keyIds()).toEqual(rotated.keyIds());
});

it("an unreadable file is logged, and changes nothing", async () => {
  const path = join(await tempDir(), "secrets.json");
  const { watch, lines, keyIds } = await watchFile(path);
  const before = keyIds();
  await writeFile(path, "{");
  await watch.once();
  expect(keyIds()).toEqual(before);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "the secrets could not be read again; the gateway continues with the current ones"],
  ]);
});

it("the end of the issuer keys' certificates is told 30 days before, once a day from then on, and when it has come", async () => {
  const path = join(await tempDir(), "secrets.json");
  const root = (await generateKeyPair()).privateJwk;
  await loadGatewaySecrets(path, clock.now);
  const certify = async (days: number) => {
    const certificates = await certifyIssuerKeys(root, await prepareIssuerKeys(path, 0), { days, nowMs: clock.now() });
    await installCertificates(path, certificates, { nowMs: clock.now() });
  };
  await certify(31);
  const { watch, lines } = await watchFile(path);
  const told = async (afterMs: number) => {
    clock.advance(afterMs);
    await watch.once();
    return lines.splice(0).map(({ level }) => level);
  };
  expect(await told(0)).toEqual([30]);
  expect(await told(dayMs + 1)).toEqual([40]);
  expect([await told(dayMs / 2), await told(dayMs / 2)]).toEqual([[], [40]]);
  expect(await told(29 * dayMs)).toEqual([50]);
  await certify(365);
  expect(await told(0)).toEqual([30]);
});

it("a gateway with an older copy stops at once when another one has the revocation of its key", async () => {
  const [path, copy] = [join(await tempDir(), "secrets.json"), join(await tempDir(), "secrets.json")];
  const root = (await generateKeyPair()).privateJwk;
  await loadGatewaySecrets(path, clock.now);
  const [leaked = new Uint8Array(), ...spares] = await prepareIssuerKeys(path, 1);
  const certified = await certifyIssuerKeys(root, [leaked, ...spares], { days: 365, nowMs: clock.now() });
  await installCertificates(path, certified, { nowMs: clock.now() });
  await copyFile(path, copy);
  const [informed, late] = [await watchFile(path), await watchFile(copy)];
  clock.advance(1000);
  const keyId = informed.keyIds()[0] ?? "";
  const revoked = await revokeIssuerKey(root, keyId, { before: certified, nowMs: clock.now() });
  await installCertificates(path, revoked, { nowMs: clock.now() });
  await informed.watch.once();
  await late.watch.once();
  expect(late.keyIds).toThrow(expect.objectContaining({ reason: "STORE_UNAVAILABLE" }));
  expect(informed.keyIds()).not.toContain(keyId);
});
