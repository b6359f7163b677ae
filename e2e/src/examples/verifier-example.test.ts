import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { repositoryDir } from "./courier-examples.ts";
import { findPython } from "./find-python.ts";

const scriptsDir = join(repositoryDir, "examples/verifier-python");
const vectorsDir = join(repositoryDir, "docs/vectors");
const obstacle = "no Python here has jwt and cryptography (Debian: python3-jwt python3-cryptography)";
const python = await findPython("jwt, cryptography");
if (python === undefined) process.stderr.write(`The verifier's example in Python is not tested: ${obstacle}.\n`);

interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the verifier over files of vectors; default: all published ones. */
const runVerifier = (...files: string[]) => runScript("run_vectors.py", ...files);

async function runScript(name: string, ...args: string[]): Promise<Ended> {
  const { PATH = "" } = process.env;
  return new Promise((resolve) => {
    execFile(
      python ?? "python3",
      [join(scriptsDir, name), ...args],
      { env: { PATH, PYTHONDONTWRITEBYTECODE: "1" } },
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

async function readVectorFile(name: string): Promise<{ vectors: { id: string; expected: Record<string, unknown> }[] }> {
  return JSON.parse(await readFile(join(vectorsDir, name), "utf8"));
}

describe("the verifier in Python", () => {
  beforeEach(({ skip }) => skip(python === undefined, obstacle));

  it("decides as every published test vector says", async () => {
    const names = (await readdir(vectorsDir, { recursive: true })).filter((name) => name.endsWith(".json"));
    expect(names.some((name) => name.startsWith("receipts/"))).toBe(true);
    const files = await Promise.all(names.map(readVectorFile));
    const count = files.reduce((sum, { vectors }) => sum + vectors.length, 0);
    expect(count).toBeGreaterThan(200);
    expect(await runVerifier()).toEqual({ exitCode: 0, stdout: `${count} vectors, 0 differ\n`, stderr: "" });
  });

  it("exits with 1 at a difference and names it", async () => {
    const file = await readVectorFile("01-acts.json");
    for (const { expected } of file.vectors.slice(0, 1)) expected.decision = "REFUSE";
    const path = join(await tempDir(), "changed.json");
    await writeFile(path, JSON.stringify(file));
    const { exitCode, stdout, stderr } = await runVerifier(path);
    expect([exitCode, stdout]).toEqual([1, `${file.vectors.length} vectors, 1 differ\n`]);
    expect(stderr).toContain("acts/deposit: ");
  });

  it("verifies a saved chain with the issuer's keys, and names a missing link or an unknown state", async () => {
    const file = JSON.parse(await readFile(join(vectorsDir, "receipts/05-statements.json"), "utf8")) as {
      vectors: { issuer_keys: object; chain: { reservation: object; receipts: object[]; statement?: object } }[];
    };
    const [vector] = file.vectors;
    if (vector === undefined) throw new Error("no vector");
    const folder = await tempDir();
    const save = async (name: string, value: object) => {
      await writeFile(join(folder, name), JSON.stringify(value));
      return join(folder, name);
    };
    const keys = await save("keys.json", vector.issuer_keys);
    const whole = await runScript("verify_chain.py", await save("chain.json", vector.chain), keys);
    const complete = "3 links, 0 faults, complete as of 2026-11-25T12:00:00.000+00:00\n";
    expect(whole).toEqual({ exitCode: 0, stdout: complete, stderr: "" });
    const { statement: _, ...unstated } = vector.chain;
    const unshown = await runScript("verify_chain.py", await save("unstated.json", unstated), keys);
    expect(unshown).toEqual({ exitCode: 4, stdout: "3 links, 0 faults, not shown to be complete\n", stderr: "" });
    const [first, , last] = vector.chain.receipts;
    const cut = await runScript("verify_chain.py", await save("cut.json", { ...vector.chain, receipts: [first, last] }), keys);
    expect(cut).toEqual({ exitCode: 1, stdout: "2 links, 1 faults\n", stderr: "link 2: MISSING\n" });
    // A gateway writes a state unknown to its protocol like this.
    const { reservation } = vector.chain;
    const unnamed = await runScript(
      "verify_chain.py",
      await save("unnamed.json", { ...vector.chain, reservation: { ...reservation, state: 99 } }),
      keys,
    );
    expect(unnamed).toEqual({ exitCode: 1, stdout: "3 links, 2 faults\n", stderr: "chain: EVENT_ORDER\nchain: STATE_DIFFERS\n" });
  });

  it("exits with 1 if there are no vectors to run", async () => {
    const path = join(await tempDir(), "none.json");
    await writeFile(path, '{"vectors":[]}');
    expect((await runVerifier(path)).exitCode).toBe(1);
  });
});
