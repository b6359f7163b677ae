import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";
import type { Refusal } from "./refusal.ts";
import { createRefusalReport } from "./report.ts";

function refusal(row: number, reason: Refusal["reason"] = "swapped"): Refusal {
  return { kind: "refusal", row, line: row + 1, reason, message: 'says "E", which\nis wrong', reference: `R${row}`, name: "A, B" };
}

test("the first twenty are kept, and all are counted by reason", () => {
  const report = createRefusalReport(undefined);
  for (let row = 1; row <= 30; row += 1) report.add(refusal(row, row % 3 === 0 ? "no-name" : "swapped"));
  report.close();
  expect(report.count).toBe(30);
  expect(report.first).toHaveLength(20);
  expect(report.counts()).toEqual([
    ["swapped", 20],
    ["no-name", 10],
  ]);
});

test("a CSV report has every refusal, quoted if necessary", async () => {
  const path = join(await tempDir(), "report.csv");
  const report = createRefusalReport(path);
  report.add(refusal(1));
  report.close();
  expect(await readFile(path, "utf8")).toBe(
    'row,line,reason,message,reference,name\n1,2,swapped,"says ""E"", which\nis wrong",R1,"A, B"\n',
  );
});

test("a JSON report is one list, however long", async () => {
  const path = join(await tempDir(), "report.json");
  const report = createRefusalReport(path);
  for (let row = 1; row <= 2000; row += 1) report.add(refusal(row));
  report.close();
  const read = JSON.parse(await readFile(path, "utf8")) as unknown[];
  expect(read).toHaveLength(2000);
  expect(read[1999]).toEqual({ row: 2000, line: 2001, reason: "swapped", message: refusal(1).message, reference: "R2000", name: "A, B" });
});

test("a report without refusals is empty and whole", async () => {
  const path = join(await tempDir(), "report.json");
  createRefusalReport(path).close();
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual([]);
});

test("a report that cannot be written is refused at once", async () => {
  const folder = await tempDir();
  expect(() => createRefusalReport(join(folder, "no", "report.csv"))).toThrow(/cannot be written \(ENOENT\)/);
});
