import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generateIssuerKey } from "@petak/credential";
import { tempDir } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { readIssuerEpochs, rotateIssuer, SecretsFileError } from "./rotate-issuer.ts";
import { RotationRefusedError } from "./rotation.ts";

const madeMs = Date.UTC(2026, 5, 1);
const nowMs = Date.UTC(2026, 10, 1);
const weekMs = 7 * 86_400_000;

async function newPath(): Promise<string> {
  return join(await tempDir(), "data", "gateway-secrets.json");
}

async function madeFile(): Promise<string> {
  const path = await newPath();
  await loadGatewaySecrets(path, () => madeMs);
  return path;
}

describe("a secrets file", () => {
  it("is created once, for its user only, and shared by all gateways that start concurrently", async () => {
    const path = await newPath();
    const all = await Promise.all([1, 2, 3].map(() => loadGatewaySecrets(path, () => madeMs)));
    const ids = all.map((secrets) => secrets.issuerEpochs().map(({ key }) => key.keyId));
    expect(new Set(ids.map(String)).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(path))).toEqual(["gateway-secrets.json"]);
    expect(all[0]?.issuerEpochs()[0]).toMatchObject({ announcedAtMs: madeMs, signsFromMs: madeMs });
  });

  it("of a version without epochs keeps its keys, and can be rotated", async () => {
    const path = join(await tempDir(), "gateway-secrets.json");
    const key = await generateIssuerKey();
    const derivation_key = Buffer.alloc(32, 9).toString("base64url");
    await writeFile(path, JSON.stringify({ issuer_private_jwk: key.privateJwk, derivation_key }));
    const secrets = await loadGatewaySecrets(path);
    expect(secrets.issuerEpochs()).toEqual([{ key, announcedAtMs: 0, signsFromMs: 0 }]);
    const pinKey = Buffer.from(await secrets.pinKey("site_83652b_k3v9c0x2md00004k"));
    await rotateIssuer(path, nowMs);
    await secrets.refresh();
    expect(secrets.issuerEpochs().map((epoch) => epoch.announcedAtMs)).toEqual([0, nowMs]);
    expect(secrets.issuerEpochs()[0].key.keyId).toBe(key.keyId);
    expect(Buffer.from(await (await loadGatewaySecrets(path)).pinKey("site_83652b_k3v9c0x2md00004k"))).toEqual(pinKey);
  });

  it("is refused and left unchanged if its content is invalid", async () => {
    const good = JSON.parse(await readFile(await madeFile(), "utf8"));
    const [epoch] = good.issuer_epochs;
    const later = { ...epoch, signs_from: new Date(nowMs).toISOString() };
    const wrong = [
      "",
      "{",
      "null",
      JSON.stringify({}),
      JSON.stringify({ ...good, version: "2" }),
      JSON.stringify({ ...good, derivation_key: "AAAA" }),
      JSON.stringify({ ...good, issuer_epochs: [] }),
      JSON.stringify({ ...good, issuer_epochs: [epoch, later] }),
      JSON.stringify({ ...good, issuer_epochs: [{ ...epoch, not_after: new Date(nowMs + 1).toISOString() }, later] }),
      JSON.stringify({ ...good, issuer_epochs: [{ ...epoch, private_jwk: { kty: "EC" } }] }),
      JSON.stringify({ ...good, issuer_epochs: [{ ...epoch, signs_from: "soon" }] }),
    ];
    for (const text of wrong) {
      const path = join(await tempDir(), "gateway-secrets.json");
      await writeFile(path, text);
      await expect(loadGatewaySecrets(path), text).rejects.toThrow(`${path} is not the secrets file of a gateway`);
      await expect(rotateIssuer(path, nowMs), text).rejects.toThrow(SecretsFileError);
      expect(await readFile(path, "utf8")).toBe(text);
    }
  });
});

describe("the version of a secrets file", () => {
  it("is written; a file without one is read, and a file of a later version is refused in one sentence and left unchanged", async () => {
    const path = await madeFile();
    const written = JSON.parse(await readFile(path, "utf8"));
    expect(written.version).toBe(1);
    await writeFile(path, JSON.stringify({ ...written, version: undefined }));
    const keyIds = (await readIssuerEpochs(path)).map(({ key }) => key.keyId);
    await rotateIssuer(path, nowMs);
    expect((await readIssuerEpochs(path)).map(({ key }) => key.keyId)).toEqual(expect.arrayContaining(keyIds));
    const later = JSON.stringify({ ...written, version: 2 });
    await writeFile(path, later);
    const sentence = `${path} has version 2 and this release reads only version 1: start a later release that reads version 2, or put the file back from before it`;
    await expect(loadGatewaySecrets(path)).rejects.toThrow(sentence);
    await expect(rotateIssuer(path, nowMs)).rejects.toThrow(sentence);
    expect(await readFile(path, "utf8")).toBe(later);
  });
});

describe("a rotation", () => {
  it("changes the file atomically, and a gateway that reads it again has the new key", async () => {
    const path = await madeFile();
    const secrets = await loadGatewaySecrets(path);
    const [before] = secrets.issuerEpochs();
    const epochs = await rotateIssuer(path, nowMs);
    expect(secrets.issuerEpochs()).toEqual([before]);
    await secrets.refresh();
    expect(secrets.issuerEpochs()).toEqual(epochs);
    expect(epochs[0].key.keyId).toBe(before.key.keyId);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(path))).toEqual(["gateway-secrets.json"]);
  });

  it("that is refused leaves the file unchanged and unlocked", async () => {
    const path = await madeFile();
    const text = await readFile(path, "utf8");
    await expect(rotateIssuer(path, nowMs, nowMs + weekMs)).rejects.toThrow(RotationRefusedError);
    expect(await readFile(path, "utf8")).toBe(text);
    await rotateIssuer(path, nowMs);
    await expect(rotateIssuer(path, nowMs)).rejects.toThrow(RotationRefusedError);
    expect(await readIssuerEpochs(path)).toHaveLength(2);
  });

  it("succeeds once if two start concurrently", async () => {
    const path = await madeFile();
    const outcomes = await Promise.allSettled([rotateIssuer(path, nowMs), rotateIssuer(path, nowMs)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readIssuerEpochs(path)).toHaveLength(2);
  });

  it("that was interrupted says what to delete, and has changed nothing", async () => {
    const path = await madeFile();
    // The state after a crash between writing the draft and renaming it.
    await writeFile(`${path}.lock`, "");
    await writeFile(`${path}.1.abcdef01`, "{");
    await expect(rotateIssuer(path, nowMs)).rejects.toThrow(`delete ${path}.lock`);
    expect((await loadGatewaySecrets(path)).issuerEpochs()).toHaveLength(1);
  });

  it("requires an existing file", async () => {
    const path = await newPath();
    await expect(rotateIssuer(path, nowMs)).rejects.toThrow(/does not exist; a gateway creates it at its first start/);
    await expect(readIssuerEpochs(path)).rejects.toThrow(/does not exist/);
  });
});

describe("reading again", () => {
  it("keeps the current secrets if the file is missing, invalid or another network's", async () => {
    const [path, foreign] = [await madeFile(), await madeFile()];
    const secrets = await loadGatewaySecrets(path);
    const before = secrets.issuerEpochs();
    const text = await readFile(path, "utf8");
    await writeFile(path, text.slice(0, 100));
    await expect(secrets.refresh()).rejects.toThrow(/is not the secrets file/);
    await writeFile(path, await readFile(foreign, "utf8"));
    await expect(secrets.refresh()).rejects.toThrow(/has another derivation key/);
    expect(secrets.issuerEpochs()).toBe(before);
    await writeFile(path, text);
    await secrets.refresh();
    expect(secrets.issuerEpochs()).toEqual(before);
  });
});
