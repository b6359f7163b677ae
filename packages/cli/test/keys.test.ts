import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

interface KeyList {
  keys: { keyId: string; label?: string; revokedAt?: string; siteId?: string }[];
  publishableKeys?: { publishableKey: string; origins: string[]; requestsPerSecond: number }[];
}

async function listKeys(key: string): Promise<KeyList> {
  const { stdout } = await gateway.petak(["--key", key, "keys", "list", "--json"]);
  return JSON.parse(stdout) as KeyList;
}

async function keyIdIn(path: string): Promise<string> {
  return (JSON.parse(await readFile(path, "utf8")) as { key_id: string }).key_id;
}

describe("participants", () => {
  test("are made and listed by the administrator", async () => {
    const made = await gateway.petak([
      "--key",
      gateway.adminKeyPath,
      "participants",
      "make",
      "--name",
      "Both",
      "--role",
      "courier,merchant",
      "--role",
      "operator",
    ]);
    expect(made).toMatchObject({ exitCode: 0, stderr: "" });
    expect(made.stdout).toMatch(/^Made par_[0-9a-z]+, Both\.\nGive it a key, with the same --key: npx petak keys make --participant par_/);
    const listed = await gateway.petak(["--key", gateway.adminKeyPath, "participants", "list"]);
    expect(listed.stdout).toMatch(/^par_[0-9a-z]+ +Both +courier, merchant, operator +\d{4}-\d\d-\d\d$/m);
  });

  test("are not for others", async () => {
    const courier = await gateway.makeParticipant("Courier", "courier");
    const { exitCode, stdout } = await gateway.petak(["--key", courier, "participants", "list", "--json"]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { reason: "ROLE_REQUIRED" } });
  });

  test("with an unknown role are refused", async () => {
    const { exitCode, stderr } = await gateway.petak([
      "--key",
      gateway.adminKeyPath,
      "participants",
      "make",
      "--name",
      "x",
      "--role",
      "boss",
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Write operator, courier, merchant, admin");
  });
});

describe("keys", () => {
  test("are made here, written for their owner's eyes only, and work", async () => {
    const path = await gateway.makeParticipant("Maker", "operator");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const second = join(gateway.folder, "second.json");
    const made = await gateway.petak(["--key", path, "keys", "make", "--out", second, "--label", "second"]);
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Made key_test_/) });
    const { keys } = await listKeys(second);
    expect(keys.map(({ keyId }) => keyId)).toEqual([await keyIdIn(second), await keyIdIn(path)]);
    expect(keys[0]?.label).toBe("second");
  });

  test("never overwrite a file, and are not registered if the file cannot be written", async () => {
    const path = await gateway.makeParticipant("Careful", "courier");
    const existing = await gateway.petak(["--key", path, "keys", "make", "--out", path]);
    expect(existing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("already exists") });
    const nowhere = await gateway.petak(["--key", path, "keys", "make", "--out", "no/such/folder/key.json"]);
    expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("does not exist or cannot be written") });
    expect((await listKeys(path)).keys).toHaveLength(1);
  });

  test("of the live network are not made with a test key", async () => {
    const path = await gateway.makeParticipant("Tester", "courier");
    const { exitCode, stderr } = await gateway.petak(["--key", path, "keys", "make", "--mode", "live", "--out", "live.json"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("[MODE_MISMATCH]");
  });

  test("are rotated: the file holds a new key that works, and the old one is revoked", async () => {
    const path = await gateway.makeParticipant("Rotator", "courier");
    const old = await keyIdIn(path);
    const rotated = await gateway.petak(["--key", path, "keys", "rotate"]);
    expect(rotated.exitCode).toBe(0);
    const fresh = await keyIdIn(path);
    expect(fresh).not.toBe(old);
    expect(rotated.stdout).toBe(`${path} has the new key ${fresh}; ${old} is revoked.\n`);
    const { keys } = await listKeys(path);
    expect(keys.map(({ keyId, revokedAt }) => [keyId, revokedAt !== undefined])).toEqual([
      [fresh, false],
      [old, true],
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("are revoked, the signing one only with --force", async () => {
    const path = await gateway.makeParticipant("Leaver", "courier");
    const keyId = await keyIdIn(path);
    const careful = await gateway.petak(["--key", path, "keys", "revoke", keyId]);
    expect(careful).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--force") });
    expect(await gateway.petak(["--key", path, "keys", "revoke", keyId, "--force"])).toMatchObject({
      exitCode: 0,
      stdout: `Revoked ${keyId}.\n`,
    });
    const after = await gateway.petak(["--key", path, "keys", "list"]);
    expect(after).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("[KEY_REVOKED]") });
    const unknown = await gateway.petak(["--key", gateway.adminKeyPath, "keys", "revoke", "key_test_0000000000000000"]);
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("[KEY_NOT_FOUND]") });
  });

  test("for web pages are made for origins, listed, and read the directory", async () => {
    const path = await gateway.makeParticipant("Shop", "merchant");
    const made = await gateway.petak([
      "--key",
      path,
      "keys",
      "publishable",
      "--origin",
      "https://a.example",
      "--origin",
      "https://b.example",
      "--rate",
      "7",
    ]);
    const publishableKey = made.stdout.trim();
    expect(publishableKey).toMatch(/^pk_test_/);
    expect((await listKeys(path)).publishableKeys).toMatchObject([
      { publishableKey, origins: ["https://a.example", "https://b.example"], requestsPerSecond: 7 },
    ]);
    const any = await gateway.petak(["--key", path, "keys", "publishable", "--origin", "*"]);
    expect(await gateway.petak(["--key", any.stdout.trim(), "find", "1.3,103.8"])).toMatchObject({ exitCode: 0, stderr: "" });
    const wrong = await gateway.petak(["--key", path, "keys", "publishable", "--origin", "a.example"]);
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/origins\[0\].*\[INVALID_FIELD\]/) });
  });
});

test("a token lets tools call that cannot sign", async () => {
  const path = await gateway.makeParticipant("Curl", "courier");
  const { stdout } = await gateway.petak(["--key", path, "token"]);
  const call = (token: string) =>
    fetch(`${gateway.url}/petak.v1.ParticipantService/GetParticipant`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: "{}",
    });
  expect(await (await call(stdout.trim())).json()).toMatchObject({ participant: { displayName: "Curl" } });
  const asJson = JSON.parse((await gateway.petak(["--key", path, "token", "--json"])).stdout) as { token: string; expiresAt: string };
  expect((await call(asJson.token)).status).toBe(200);
  expect(Date.parse(asJson.expiresAt)).toBeGreaterThan(Date.now());
});
