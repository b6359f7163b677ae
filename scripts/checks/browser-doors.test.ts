import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findNodeUses } from "./browser-doors.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "petak-doors-"));
});

afterEach(() => rmSync(dir, { recursive: true }));

/** The findings in a module with a source, next to a module `beside.ts`. */
async function usesOf(source: string, beside = ""): Promise<string[]> {
  writeFileSync(join(dir, "beside.ts"), beside);
  writeFileSync(join(dir, "door.ts"), source);
  return await findNodeUses(join(dir, "door.ts"));
}

test("Node's modules are found behind other modules, imported or re-exported, with or without their prefix", async () => {
  expect(await usesOf(`export { a } from "./beside.ts";`, `import { hash } from "node:crypto";\nexport const a = hash;`)).toEqual([
    expect.stringMatching(/beside\.ts:1: Could not resolve "node:crypto"/),
  ]);
  expect(await usesOf(`export * from "fs";`)).toEqual([expect.stringMatching(/door\.ts:1: Could not resolve "fs"/)]);
  expect(await usesOf(`export const a = await import("node:fs");`)).toEqual([expect.stringContaining('Could not resolve "node:fs"')]);
});

test("Node's globals are found, bare and as members of globalThis, even if tested for existence", async () => {
  expect(await usesOf(`export * from "./beside.ts";`, "export const a = Buffer.from([1]);")).toEqual([
    expect.stringMatching(/beside\.ts: uses Buffer, which browsers do not have$/),
  ]);
  for (const use of ["process.env.HOME", "globalThis.process?.env", "globalThis?.process", "typeof process"]) {
    expect(await usesOf(`export const a = ${use};`), use).toEqual([expect.stringContaining("uses process")]);
  }
});

test("types of Node's modules are found", async () => {
  for (const source of [
    `import type { Readable } from "node:stream";\nexport type A = Readable;`,
    `export type A = import("node:stream").Readable;`,
  ]) {
    expect(await usesOf(source), source).toEqual([expect.stringContaining("imports types of node:stream")]);
  }
});

test("words, and a module's own names, are not globals", async () => {
  const source = `
    /** A Buffer of the process. */
    export const a = (process: { global: string }) => [process.global, "Buffer"];
    export const require = 1;
  `;
  expect(await usesOf(source)).toEqual([]);
});
