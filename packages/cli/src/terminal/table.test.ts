import { expect, test } from "vitest";
import { layOutTable } from "./table.ts";
import { textWidth } from "./text-width.ts";

const columns = [{ title: "M", align: "right" }, { title: "NAME", flexible: true }, { title: "ID" }] as const;
const rows = [
  ["120", "Petak demo · Bukit Timah 3", "site_836520_8"],
  ["1", "Short", "site_836520_m"],
];
const plain = (text: string) => text;

test("columns are as wide as their widest cell, and numbers stand on the right", () => {
  expect(layOutTable(columns, rows, { width: Number.POSITIVE_INFINITY, paintTitle: plain })).toEqual([
    "  M  NAME                        ID",
    "120  Petak demo · Bukit Timah 3  site_836520_8",
    "  1  Short                       site_836520_m",
  ]);
});

test("on a narrow terminal flexible columns give way and the others do not", () => {
  const lines = layOutTable(columns, rows, { width: 40, paintTitle: plain });
  expect(lines[1]).toBe("120  Petak demo · Bukit …  site_836520_8");
  expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(40);
});

test("on a terminal that is far too narrow nothing is lost but the ends of names", () => {
  const lines = layOutTable(columns, rows, { width: 10, paintTitle: plain });
  expect(lines[1]).toBe("120  Petak d…  site_836520_8");
});

test("colours do not count", () => {
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
  const lines = layOutTable([{ title: "A", paint: red }, { title: "B" }], [["x", "y"]], { width: 20, paintTitle: plain });
  expect(lines[1]).toBe("\u001b[31mx\u001b[39m  y");
});
