import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { randomBase32 } from "@petak/protocol";
import { createRandom, tempDir, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { diskFiles } from "./archive-files.ts";
import { dateAt, dayMs } from "./archive-layout.ts";
import { addDay, coversDay, entriesOfRun, findInRun, handleKey, type IndexEntry, mergeRuns, runsIn } from "./handle-index.ts";

const firstDayMs = Date.UTC(2026, 0, 1);
const dateOf = (day: number) => dateAt(firstDayMs + day * dayMs);

async function runsOf(directory: string) {
  return runsIn(directory, await readdir(directory)).runs;
}

async function find(directory: string, handle: string) {
  const found = [];
  for (const { path } of await runsOf(directory)) {
    const file = await diskFiles.open(path);
    if (file === undefined) throw new Error("a run has gone");
    try {
      found.push(...(await findInRun(file, path, handle)));
    } finally {
      await file.close();
    }
  }
  return found;
}

describe("the index of handles", () => {
  it("finds each handle in each of its days, and nothing else, however its runs were merged", async () => {
    const random = createRandom(testSeed());
    const directory = join(await tempDir(), "index");
    const entries: IndexEntry[] = [];
    for (let day = 0; day < 40; day++) {
      const count = random.pick([0, 1, 5, 400]);
      const own = Array.from({ length: count }, (_, member) => ({
        // Some have several days, as late reports cause.
        handle: random.bool(0.1) && entries.length > 0 ? random.pick(entries).handle : randomBase32(16),
        date: dateOf(day),
        member,
      }));
      entries.push(...own);
      await addDay(diskFiles, directory, dateOf(day), own);
      await mergeRuns(diskFiles, directory);
      expect(coversDay(await runsOf(directory), dateOf(day))).toBe(true);
      expect(coversDay(await runsOf(directory), dateOf(day + 1))).toBe(false);
    }
    // A new run is merged with the last one until that is more than twice as long.
    expect((await runsOf(directory)).length).toBeLessThan(Math.log2(entries.length + 2) + 3);
    for (const { handle } of random.shuffle(entries).slice(0, 300)) {
      const expected = entries.filter((entry) => entry.handle === handle).map(({ date, member }) => ({ date, member }));
      expect(await find(directory, handle)).toEqual(expected);
    }
    for (let count = 0; count < 100; count++) expect(await find(directory, randomBase32(16))).toEqual([]);
    const read = [];
    for (const run of await runsOf(directory)) for await (const entry of entriesOfRun(diskFiles, run)) read.push(entry);
    expect(read).toHaveLength(entries.length);
  });

  it("ignores runs that were merged but not removed yet", async () => {
    const names = ["2026-01-01_2026-01-04.idx", "2026-01-01_2026-01-02.idx", "2026-01-03_2026-01-04.idx", "2026-01-05_2026-01-05.idx"];
    const { runs, superseded } = runsIn("/index", [...names, "2026-01-06_2026-01-06.ab.unfinished"]);
    expect(runs.map(({ from, to }) => [from, to])).toEqual([
      ["2026-01-01", "2026-01-04"],
      ["2026-01-05", "2026-01-05"],
    ]);
    expect(superseded).toHaveLength(2);
  });

  it("uses all five bits of each character of a handle", () => {
    expect(handleKey("zzzzzzzzzzzzzzzz").toString("hex")).toBe("f".repeat(20));
    expect(handleKey("0000000000000001").toString("hex")).toBe(`${"0".repeat(19)}1`);
  });

  it("reports a damaged run", async () => {
    const directory = join(await tempDir(), "index");
    await addDay(diskFiles, directory, dateOf(0), [{ handle: randomBase32(16), date: dateOf(0), member: 0 }]);
    const [run] = await runsOf(directory);
    await appendFile(run?.path ?? "", "x");
    await expect(find(directory, randomBase32(16))).rejects.toThrow(/is damaged/);
  });
});
