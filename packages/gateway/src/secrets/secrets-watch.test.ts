import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecretsFingerprintStore } from "@petak/records";
import { createKeys } from "@petak/redis";
import { createFrozenClock, tempDir, useRedis } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { createLogger } from "../observability/index.ts";
import { requireSharedSecrets } from "./check-shared-secrets.ts";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { rotateIssuer } from "./rotate-issuer.ts";
import { outdatedGraceMs, watchSecrets } from "./secrets-watch.ts";

const redis = useRedis();
const clock = createFrozenClock();

/** A gateway's secrets from a file, watched by hand. */
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

it("gateways over one file take up a new key without a restart", async () => {
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

it("a gateway whose copy is older goes on for half an hour, and then signs and tells nothing until it has the newer one", async () => {
  const [path, copy] = [join(await tempDir(), "secrets.json"), join(await tempDir(), "secrets.json")];
  const rotated = await watchFile(path);
  await copyFile(path, copy);
  const late = await watchFile(copy);
  clock.advance(1000);
  await rotateIssuer(path, clock.now());
  await rotated.watch.once();
  await late.watch.once();
  expect(late.lines.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "this gateway's secrets are older than those of the gateways beside it: copy their file here"],
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

it("a file that cannot be read is said, and changes nothing", async () => {
  const path = join(await tempDir(), "secrets.json");
  const { watch, lines, keyIds } = await watchFile(path);
  const before = keyIds();
  await writeFile(path, "{");
  await watch.once();
  expect(keyIds()).toEqual(before);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "the gateway's secrets could not be read again, and it goes on with those it has"],
  ]);
});
