import { readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { openLogFile } from "./log-file.ts";

const neverFails = (sentence: string): never => {
  throw new Error(sentence);
};

describe("a log file", () => {
  test("appends to an existing file, for its owner only", async () => {
    const path = join(await tempDir(), "gateway.log");
    for (const line of ["one\n", "two\n"]) {
      const log = openLogFile(path, { onFailure: neverFails });
      log.write(line);
      await log.close();
    }
    expect(await readFile(path, "utf8")).toBe("one\ntwo\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("reports a full disk once, and continues without logging", async () => {
    const path = join(await tempDir(), "gateway.log");
    await symlink("/dev/full", path);
    const said: string[] = [];
    const log = openLogFile(path, { onFailure: (sentence) => said.push(sentence) });
    log.write("one\n");
    await expect.poll(() => said.length).toBe(1);
    log.write("two\n");
    await log.close();
    expect(said).toEqual([`The log ${path} cannot be written (ENOSPC: no space left on device, write); nothing more is logged.`]);
  });

  test("that cannot be opened reports it, and accepts lines", async () => {
    const path = join(await tempDir(), "nowhere", "gateway.log");
    const said: string[] = [];
    const log = openLogFile(path, { onFailure: (sentence) => said.push(sentence) });
    log.write("one\n");
    await log.close();
    expect(said).toEqual([expect.stringMatching(/cannot be written \(ENOENT: .*\); nothing more is logged\.$/)]);
  });

  test("begins anew before it grows too long, and keeps the one before", async () => {
    const path = join(await tempDir(), "gateway.log");
    const lines = Array.from({ length: 25 }, (_, index) => `line ${String(index).padStart(4, "0")}\n`);
    const half = openLogFile(path, { onFailure: neverFails, maxBytes: 100 });
    for (const line of lines.slice(0, 13)) half.write(line);
    await half.close();
    const log = openLogFile(path, { onFailure: neverFails, maxBytes: 100 });
    for (const line of lines.slice(13)) log.write(line);
    await log.close();
    expect(await readFile(`${path}.1`, "utf8")).toBe(lines.slice(10, 20).join(""));
    expect(await readFile(path, "utf8")).toBe(lines.slice(20).join(""));
  });

  test("drops lines if the disk is too slow, and logs how many", async () => {
    const path = join(await tempDir(), "gateway.log");
    const log = openLogFile(path, { onFailure: neverFails, maxPendingBytes: 100, now: () => 5 });
    // Nothing is written before the loop gives way, so the disk is behind for as long as it runs.
    for (let index = 0; index < 50; index++) log.write(`line ${String(index).padStart(4, "0")}\n`);
    await expect.poll(async () => (await stat(path)).size).toBe(110);
    log.write("after\n");
    await log.close();
    const written = (await readFile(path, "utf8")).split("\n");
    expect(written.slice(0, 2)).toEqual(["line 0000", "line 0001"]);
    expect(written.slice(11)).toEqual(['{"level":40,"time":5,"msg":"39 log lines were dropped: the disk is too slow"}', "after", ""]);
  });
});
