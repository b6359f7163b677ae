import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecretsFingerprintStore } from "@petak/records";
import { createKeys } from "@petak/redis";
import { tempDir, useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { checkSharedSecrets, requireSharedSecrets } from "./check-shared-secrets.ts";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { rotateIssuer } from "./rotate-issuer.ts";

const redis = useRedis();
const store = () => createSecretsFingerprintStore(redis.client, createKeys(redis.keyPrefix));

async function newPath(): Promise<string> {
  return join(await tempDir(), "secrets.json");
}

/** The check at the start of a gateway. */
async function start(path: string): Promise<void> {
  await requireSharedSecrets(store(), await loadGatewaySecrets(path), path);
}

/** The check while it runs. */
async function look(path: string) {
  return checkSharedSecrets(store(), await loadGatewaySecrets(path), path);
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, "utf8"));
}

describe("gateways of one store", () => {
  it("start with the same secrets repeatedly", async () => {
    const [one, other] = [await newPath(), await newPath()];
    await start(one);
    await copyFile(one, other);
    await start(other);
    await start(one);
  });

  it("do not start with different secrets, and say what differs and what to do", async () => {
    const [one, other, mixed] = [await newPath(), await newPath(), await newPath()];
    await start(one);
    await expect(start(other)).rejects.toThrow(
      /secrets\.json does not have the secrets .* \(the issuer key and the derivation key differ\): copy gateway-secrets\.json .* another Redis/,
    );
    const [{ derivation_key }, rest] = [await readJson(other), await readJson(one)];
    await writeFile(mixed, JSON.stringify({ ...rest, derivation_key }));
    await expect(start(mixed)).rejects.toThrow(/\(the derivation key differs\)/);
    await start(one);
  });

  it("do not start with another issuer key of the same age", async () => {
    const [one, mixed] = [await newPath(), await newPath()];
    await start(one);
    const [file, { issuer_epochs }] = [await readJson(one), await readJson(await otherFile())];
    const [epoch, foreign] = [file.issuer_epochs, issuer_epochs] as [{ private_jwk: unknown }[], { private_jwk: unknown }[]];
    await writeFile(mixed, JSON.stringify({ ...file, issuer_epochs: [{ ...epoch[0], private_jwk: foreign[0]?.private_jwk }] }));
    await expect(start(mixed)).rejects.toThrow(/\(the issuer key differs\)/);
  });

  it("follow a rotation, and the one with the older file reports it", async () => {
    const [rotated, copy] = [await newPath(), await newPath()];
    await start(rotated);
    await copyFile(rotated, copy);
    const nowMs = Date.now() + 1000;
    await rotateIssuer(rotated, nowMs);
    expect(await look(copy)).toEqual({ outdated: false });
    expect(await look(rotated)).toEqual({ outdated: false });
    expect(await look(copy)).toEqual({ outdated: true, newerSinceMs: nowMs, isRevoked: false });
    await expect(start(copy)).rejects.toThrow(
      /secrets\.json is older than the secrets of the other gateways, .* copy gateway-secrets\.json/,
    );
    await copyFile(rotated, copy);
    await start(copy);
    expect(await look(rotated)).toEqual({ outdated: false });
  });

  it("do not start with the same old key and different new keys", async () => {
    const [one, other] = [await newPath(), await newPath()];
    await start(one);
    await copyFile(one, other);
    const nowMs = Date.now() + 1000;
    await rotateIssuer(one, nowMs);
    await rotateIssuer(other, nowMs);
    await start(one);
    await expect(start(other)).rejects.toThrow(/\(the issuer key differs\)/);
  });

  it("accept the fingerprint that a gateway of an earlier version has stored", async () => {
    const path = await newPath();
    await start(path);
    const { announcedAtMs, ...noted } = JSON.parse((await redis.client.get(store().key)) ?? "");
    expect(announcedAtMs).toBeGreaterThan(0);
    await redis.client.set(store().key, JSON.stringify(noted));
    await start(path);
    await expect(start(await otherFile())).rejects.toThrow(/derivation key/);
  });

  it("leave nothing secret in Redis", async () => {
    const path = await newPath();
    await start(path);
    await rotateIssuer(path, Date.now() + 1000);
    await start(path);
    const { issuerEpochs, derivationKey } = await loadGatewaySecrets(path);
    const noted = (await redis.client.get(store().key)) ?? "";
    const fingerprint = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(JSON.parse(noted)).toEqual({
      issuerKey: fingerprint,
      nextIssuerKey: fingerprint,
      derivationKey: fingerprint,
      announcedAtMs: expect.any(Number),
    });
    const secret = [derivationKey, ...issuerEpochs().map(({ key }) => Buffer.from(key.privateJwk.d, "base64url"))];
    for (const bytes of secret) expect(noted).not.toContain(Buffer.from(bytes).toString("hex"));
  });
});

/** Secrets of another network. */
async function otherFile(): Promise<string> {
  const path = await newPath();
  await loadGatewaySecrets(path);
  return path;
}
