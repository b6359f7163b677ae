import { describe, expect, test } from "vitest";
import { type CsvRow, detectDelimiter, readCsvRows } from "./csv-rows.ts";

/** In pieces of a few characters, so that every border falls somewhere. */
async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += size) yield text.slice(from, from + size);
}

async function readAll(text: string, delimiter = ",", size = 3): Promise<CsvRow[]> {
  return Array.fromAsync(readCsvRows(inPieces(text, size), delimiter, "list.csv"));
}

test("every row has its first line", async () => {
  const rows = await readAll('a,b\n1,2\n\n  ,\n"x\ny",5\n6,7');
  expect(rows).toEqual([
    { line: 1, cells: ["a", "b"] },
    { line: 2, cells: ["1", "2"] },
    { line: 5, cells: ["x\ny", "5"] },
    { line: 7, cells: ["6", "7"] },
  ]);
});

test("quotes within quotes, delimiters within quotes and empty cells are kept", async () => {
  expect(await readAll('"a ""b"" c","d,e",,\n', ",")).toEqual([{ line: 1, cells: ['a "b" c', "d,e", "", ""] }]);
});

test("rows of other lengths than the header are given as they are", async () => {
  expect((await readAll("a,b\n1,2,3\n4\n")).map(({ cells }) => cells.length)).toEqual([2, 3, 1]);
});

describe("malformed CSV is refused with the first line of the bad row", () => {
  test.each([
    ["a quote that is never closed", 'a,b\n1,2\n"open,3\n4,5\n', /^list\.csv, line 3: .*never closed/],
    [
      "a quote that is never closed in a long file",
      `a,b\n1,2\n"open,3\n${"4,5\n".repeat(50_000)}`,
      /^list\.csv, line 3: .*longer than 128000/,
    ],
    ["a quote in the middle of a cell", 'a,b\n1,2\nJoe "the" shop,3\n', /^list\.csv, line 3: .*in the middle of a cell/],
    ["text after a closing quote", 'a,b\n"Joe"s,3\n', /^list\.csv, line 2: .*after a closing quote/],
    ["a huge line", `a,b\n1,2\n${"x".repeat(200_000)},3\n`, /^list\.csv, line 3: .*longer than 128000/],
  ])("%s", async (_, text, message) => {
    await expect(readAll(text, ",", 10_000)).rejects.toThrow(message);
  });
});

test("an error of the source reaches the reader", async () => {
  async function* broken(): AsyncGenerator<string> {
    yield "a,b\n";
    throw new Error("the disk is gone");
  }
  await expect(Array.fromAsync(readCsvRows(broken(), ",", "list.csv"))).rejects.toThrow("the disk is gone");
});

test.each([
  ["a,b,c\n1;2", ","],
  ["a;b;c\n1,2", ";"],
  ["a\tb\n", "\t"],
  ["a|b|c", "|"],
  ['"a;b;c;d",e,f\n', ","],
  ["alone\n1,2", ","],
])("the delimiter of %j is told by its first line", (text, delimiter) => {
  expect(detectDelimiter(text)).toBe(delimiter);
});
