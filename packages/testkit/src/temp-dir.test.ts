import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir, tempDir } from "./temp-dir.ts";

let pathOfEarlierTest = "";

test("a test has its own directory", async () => {
  pathOfEarlierTest = await tempDir();
  await mkdir(join(pathOfEarlierTest, "inner"));
  await writeFile(join(pathOfEarlierTest, "inner/file"), "");
  expect(await tempDir()).not.toBe(pathOfEarlierTest);
});

test("it is removed after the test", () => {
  expect(pathOfEarlierTest).not.toBe("");
  expect(existsSync(pathOfEarlierTest)).toBe(false);
});

test("a directory of a block is removed with the block", async () => {
  let path = "";
  {
    await using directory = await createTempDir();
    ({ path } = directory);
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
