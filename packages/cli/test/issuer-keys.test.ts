import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

interface IssuerKeys {
  keys: { keyId: string; state: string; signsFrom: string | null; notAfter: string | null }[];
  nextRotation: string;
}

test("an issuer key is shown and announced once, and the running gateway adopts it", async () => {
  const dataDir = join(gateway.folder, "../data");
  const petak = (...args: string[]) => gateway.petak(["keys", ...args, "--data-dir", dataDir]);
  const issuer = async () => JSON.parse((await petak("issuer", "--json")).stdout) as IssuerKeys;
  const [first] = (await issuer()).keys;
  expect(first).toMatchObject({ keyId: expect.stringMatching(/^[\w-]{4}$/), state: "signs", notAfter: null });
  expect((await petak("issuer")).stdout).toMatch(
    /^.{4} +signs +\d{4}-\d\d-\d\dT\d\d:\d\dZ *\n[\s\S]*The next rotation can be announced now\.\n$/m,
  );

  const tooEarly = await petak("rotate-issuer", "--at", "+7d", "--json");
  expect(tooEarly.exitCode).toBe(1);
  expect(JSON.parse(tooEarly.stdout)).toMatchObject({
    error: { reason: "too-early", message: expect.stringMatching(/^Nothing was changed: .* can sign from \d{4}-.* on/) },
  });
  expect((await issuer()).keys).toEqual([first]);

  const rotated = await petak("rotate-issuer");
  expect(rotated).toMatchObject({ exitCode: 0, stderr: "" });
  expect(rotated.stdout).toMatch(/Agents learn of .{4} from now on; it signs from \S+Z on, and .{4} is trusted until \S+Z\.\n/);
  const after = await issuer();
  expect(after.keys.map(({ state }) => state)).toEqual(["signs", "announced"]);
  expect(after.nextRotation).toBe(after.keys[0]?.notAfter);

  const again = await petak("rotate-issuer");
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toMatch(/^petak: Nothing was changed: agents trust the key .{4} of the previous epoch until \d{4}-/);
});

test("the data directory is the one that the gateway's configuration names", async () => {
  const cwd = await tempDir();
  const nowhere = await runPetak(["keys", "rotate-issuer"], { cwd });
  expect(nowhere.exitCode).toBe(1);
  expect(nowhere.stderr).toBe(
    `petak: Nothing was changed: ${join(cwd, ".petak/gateway-secrets.json")} does not exist; a gateway creates it at its first start.\n`,
  );
  const unread = await runPetak(["keys", "issuer"], { cwd });
  expect(unread).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^petak: \/.*gateway-secrets\.json does not exist; /) });
  const shown = await runPetak(["keys", "issuer"], { cwd, env: { PETAK_DATA_DIR: join(gateway.folder, "../data") } });
  expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
});

test("the number of public keys is stated in correct grammar", async () => {
  const { stdout } = await gateway.petak(["keys", "issuer", "--data-dir", "../data", "--out", "one-or-more.json"]);
  const { keys } = JSON.parse(await readFile(join(gateway.folder, "one-or-more.json"), "utf8")) as { keys: unknown[] };
  expect(stdout).toContain(
    `one-or-more.json has ${keys.length === 1 ? "the public key" : `the ${keys.length} public keys`} for verifying receipts`,
  );
});

test("a time without a zone is refused", async () => {
  const { exitCode, stderr } = await runPetak(["keys", "rotate-issuer", "--at", "2026-12-01 02:00"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Write date, time and offset from UTC");
});

test("nothing of a private key is printed", async () => {
  const text = await readFile(join(gateway.folder, "../data/gateway-secrets.json"), "utf8");
  const secrets = [...text.matchAll(/"(?:d|derivation_key)": "([^"]+)"/g)].map(([, secret = ""]) => secret);
  const { stdout } = await gateway.petak(["keys", "issuer", "--json", "--data-dir", "../data"]);
  expect(secrets.length).toBeGreaterThan(1);
  for (const secret of secrets) expect(stdout).not.toContain(secret);
});
