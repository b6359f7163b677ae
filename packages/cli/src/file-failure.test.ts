import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";
import { unreadableFile } from "./file-failure.ts";
import { runPetak } from "./testing/run-petak.ts";

test("a file that cannot be read is named, with what to do", async () => {
  const folder = await tempDir();
  await mkdir(join(folder, "folder"));
  const failureOf = async (name: string) =>
    await readFile(join(folder, name)).catch((error: unknown) => unreadableFile(name, error).message);
  expect(await failureOf("none")).toBe("The file none cannot be read: it does not exist. Check its path.");
  expect(await failureOf("folder")).toBe("The file folder cannot be read: it is a folder. Name a file.");
});

test.each([
  ["batch", "gone.json"],
  ["manifest", "--route", "gone.json"],
  ["credentials", "delegate", "@gone.json"],
  ["verify-chain", "gone.json"],
])("petak %s says so of a file that is not there", async (...argv) => {
  const { exitCode, stderr } = await runPetak(argv, { cwd: await tempDir() });
  expect([exitCode, stderr]).toEqual([1, "petak: The file gone.json cannot be read: it does not exist. Check its path.\n"]);
});
