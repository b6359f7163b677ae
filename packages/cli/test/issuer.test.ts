import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
const dataDir = () => join(gateway.folder, "../data");
/** Runs `petak issuer`, on the gateway's machine or where the root key is. */
const issuer = (...args: string[]) => gateway.petak(["issuer", ...args]);
const onGateway = (...args: string[]) => issuer(...args, "--data-dir", dataDir());

interface Status {
  root: string | null;
  certificates: string;
  revoked: string[];
  keys: { keyId: string; certifiedUntil: string | null }[];
}
const status = async () => JSON.parse((await onGateway("status", "--json")).stdout) as Status;

test("an operator makes a root key, certifies issuer keys with it, and ends a leaked one", async () => {
  expect(await status()).toMatchObject({ root: null, certificates: "none", keys: [{ certifiedUntil: null }] });
  const made = await issuer("root", "--out", "root.json");
  const [, fingerprint = ""] = /^Made the root key ([\w-]{43}), in root\.json\.$/m.exec(made.stdout) ?? [];
  expect((await stat(join(gateway.folder, "root.json"))).mode & 0o777).toBe(0o600);
  expect((await issuer("root", "--out", "root.json")).stderr).toMatch(/^petak: root\.json already exists/);

  expect((await onGateway("request", "--out", "request.json", "--keys", "2")).stdout).toContain("request.json has 3 public keys");
  const certified = await issuer("certify", "request.json", "--root", "root.json", "--out", "certificates.json");
  expect(certified.stdout).toMatch(/^Certified 3 keys until 20\d\d-/);
  const installed = await onGateway("install", "certificates.json");
  expect(installed).toMatchObject({ exitCode: 0, stderr: "" });
  expect(installed.stdout).toContain(`The operator's root is ${fingerprint}.`);
  const before = await status();
  expect(before).toMatchObject({ root: fingerprint, certificates: "ok", revoked: [] });
  const [leaked] = before.keys;

  const unknown = await issuer("revoke", "????", "--root", "root.json", "--certificates", "certificates.json");
  expect(unknown).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^petak: Nothing was signed: there is no certificate of a key /),
  });
  await issuer("revoke", leaked?.keyId ?? "", "--root", "root.json", "--certificates", "certificates.json");
  const ended = await onGateway("install", "certificates.json");
  expect(ended.stdout).toMatch(new RegExp(`^${leaked?.keyId} has ended: `));
  const after = await status();
  expect(after.revoked).toEqual([leaked?.keyId]);
  expect(after.keys.map(({ keyId }) => keyId)).not.toContain(leaked?.keyId);
});

test("what runs where the root key is needs no gateway's files, and names what is wrong with its own", async () => {
  const noRoot = await issuer("certify", "request.json", "--root", "nothing.json", "--out", "other.json");
  expect(noRoot.stderr).toMatch(/^petak: nothing\.json could not be read as a root key: /);
  const noRequest = await issuer("certify", "root.json", "--root", "root.json", "--out", "other.json");
  expect(noRequest.stderr).toMatch(/^petak: root\.json is not a request of `petak issuer request`: /);
  expect((await issuer("certify", "request.json", "--root", "root.json", "--out", "other.json", "--days", "401")).stderr).toContain(
    "Write a whole number from 1 to 400.",
  );
  expect((await onGateway("install", "root.json")).stderr).toMatch(/is not a file of issuer certificates of version 1\.$/m);
  expect((await onGateway("install", "nowhere.json")).stderr).toMatch(/^petak: nowhere\.json does not exist; /);
});

test("nothing of the root key's private half is printed or leaves its file", async () => {
  const { d } = JSON.parse(await readFile(join(gateway.folder, "root.json"), "utf8")) as { d: string };
  const files = ["request.json", "certificates.json", "../data/issuer-certificates.json", "../data/gateway-secrets.json"];
  for (const file of files) expect(await readFile(join(gateway.folder, file), "utf8")).not.toContain(d);
  expect((await onGateway("status", "--json")).stdout).not.toContain(d);
});
