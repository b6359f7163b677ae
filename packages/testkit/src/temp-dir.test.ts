import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir, tempDir } from "./temp-dir.ts";

let pathOfEarlierTest = "";

test("a test has a directory of its own", async () => {
  pathOfEarlierTest = await tempDir();
  await mkdir(join(pathOfEarlierTest, "inner"));
  await writeFile(join(pathOfEarlierTest, "inner/file"), "");
  expect(await tempDir()).not.toBe(pathOfEarlierTest);
});

test("it has gone when the test has finished", () => {
  expect(pathOfEarlierTest).not.toBe("");
  expect(existsSync(pathOfEarlierTest)).toBe(false);
});

test("a directory in a block goes with the block", async () => {
  let path = "";
  {
    await using directory = await createTempDir();
    ({ path } = directory);
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
