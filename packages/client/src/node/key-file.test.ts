import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@petak/credential";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KeyFile, readKeyFile, signerOfKeyFile, writeKeyFile } from "./key-file.ts";

let folder: string;
let keyFile: KeyFile;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "petak-key-file-"));
  const { privateJwk } = await generateKeyPair();
  keyFile = { participant_id: "par_a", key_id: "key_test_a", mode: "test", audience: "gateway", private_jwk: privateJwk };
});

afterAll(() => rm(folder, { recursive: true }));

describe("a key file", () => {
  it("is read as it was written, is readable by its owner only, and leaves no temporary file", async () => {
    const path = join(folder, "a.json");
    await writeKeyFile(path, keyFile);
    await writeKeyFile(path, { ...keyFile, participant_id: "par_b" });
    expect(await readKeyFile(path)).toEqual({ ...keyFile, participant_id: "par_b" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["a.json"]);
  });

  it("leaves no temporary file if it cannot be renamed", async () => {
    const path = join(folder, "taken");
    await mkdir(path);
    await expect(writeKeyFile(path, keyFile)).rejects.toThrow();
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("is refused with the name of the invalid member", async () => {
    const path = join(folder, "wrong.json");
    const refusalOf = async (content: unknown) => {
      await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
      return readKeyFile(path).then(
        () => "read",
        (error: Error) => error.message,
      );
    };
    expect(await refusalOf("{")).toBe(`${path} is not a key file: it is not JSON`);
    expect(await refusalOf([])).toContain("'participant_id'");
    expect(await refusalOf("null")).toContain("not contain an object");
    expect(await refusalOf({ ...keyFile, audience: "" })).toContain("'audience'");
    expect(await refusalOf({ ...keyFile, mode: "both" })).toContain("'mode'");
    expect(await refusalOf({ ...keyFile, mode: "live" })).toContain("'key_id'");
    expect(await refusalOf({ ...keyFile, private_jwk: "x" })).toContain("'private_jwk'");
    const withoutPrivateHalf = { ...keyFile, private_jwk: { ...keyFile.private_jwk, d: undefined } };
    expect(await refusalOf(withoutPrivateHalf)).toContain("'private_jwk'");
    expect(await refusalOf(withoutPrivateHalf)).not.toContain(keyFile.private_jwk.x);
  });

  it("states its version; one that states none is read, and one of a later version is refused in one sentence", async () => {
    const path = join(folder, "version.json");
    await writeKeyFile(path, keyFile);
    const written = JSON.parse(await readFile(path, "utf8"));
    expect(written.version).toBe(1);
    await writeFile(path, JSON.stringify({ ...written, version: undefined }));
    expect(await readKeyFile(path)).toEqual(keyFile);
    await writeFile(path, JSON.stringify({ ...written, version: 2 }));
    await expect(readKeyFile(path)).rejects.toThrow(
      `${path} has version 2 and this release reads only version 1: use a later release that reads version 2, or register another key`,
    );
    await writeFile(path, JSON.stringify({ ...written, version: "2" }));
    await expect(readKeyFile(path)).rejects.toThrow("'version' must be a number");
  });

  it("gives a signer", async () => {
    const signer = signerOfKeyFile(keyFile);
    expect(signer).toMatchObject({ participantId: "par_a", keyId: "key_test_a", mode: "test" });
    expect(await signer.authorization()).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it("has the documented member names in order", async () => {
    const path = join(folder, "names.json");
    await writeKeyFile(path, keyFile);
    expect(Object.keys(JSON.parse(await readFile(path, "utf8")))).toEqual([
      "version",
      "participant_id",
      "key_id",
      "mode",
      "audience",
      "private_jwk",
    ]);
  });
});
