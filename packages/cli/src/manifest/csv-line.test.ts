import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { csvLine } from "./csv-line.ts";

test("what a spreadsheet would take for a formula is text", () => {
  const formulas = ["=1+1", "+65 1234", "-2", "@SUM(A1)", " =cmd|'/c calc'!A1", "\t=1", "＝1+1", '=HYPERLINK("http://x","y")'];
  const [read = []] = parse(`${csvLine(formulas)}\n`) as string[][];
  expect(read).toEqual(formulas.map((text) => `'${text}`));
});

test("other texts and numbers come back as they were", () => {
  const cells = ["order-1", "", "a, b", 'say "hi"', "two\nlines", "日本", "a=b", " a "];
  expect(parse(`${csvLine([...cells, -6.2, 0])}\n`)).toEqual([[...cells, "-6.2", "0"]]);
});
