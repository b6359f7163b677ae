import { type CsvRow, detectDelimiter, readCsvRows } from "./csv-rows.ts";
import { fileProblem } from "./file-problem.ts";
import type { Refusal } from "./refusal.ts";
import { draftOf, type SiteDraft } from "./site-draft.ts";
import { checkNames, mapColumns } from "./site-fields.ts";
import type { OpenSource } from "./site-source.ts";
import type { TextSource } from "./text-source.ts";

const delimiterNames: Record<string, string> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

/** Opens a CSV file. Its first row must name the columns. */
export const openCsv: OpenSource = async (text, options) => {
  const delimiter = options.delimiter ?? detectDelimiter(await firstPiece(text));
  const headers = await readHeader(text, delimiter);
  const mapping = mapColumns(headers, options.columns, false);
  checkNames(mapping, options.nameTemplate, headers);
  const columnNumbers = new Map(headers.map((header, index) => [header, index]));

  function toDraft({ line, cells }: CsvRow, row: number): SiteDraft | Refusal {
    const draft = draftOf({ row, line }, (column) => cells[columnNumbers.get(column) ?? -1] ?? "", {
      mapping,
      nameTemplate: options.nameTemplate,
    });
    if (cells.length === headers.length) return draft;
    const message = `the row has ${cells.length} cells and the header ${headers.length}; perhaps a cell with a comma is not in quotes`;
    return { kind: "refusal", row, line, reason: "ragged-row", message, reference: draft.reference, name: draft.name };
  }

  return {
    format: "csv",
    description: `CSV, cells divided by ${delimiterNames[delimiter] ?? JSON.stringify(delimiter)}`,
    mapping,
    async *drafts(observer) {
      let number = 0;
      for await (const row of readCsvRows(text.read(observer), delimiter, text.name)) {
        if (number > 0) yield toDraft(row, number);
        number += 1;
      }
    },
  };
};

async function firstPiece(text: TextSource): Promise<string> {
  for await (const piece of text.read()) return piece;
  return "";
}

async function readHeader(text: TextSource, delimiter: string): Promise<string[]> {
  for await (const { line, cells } of readCsvRows(text.read(), delimiter, text.name)) {
    const headers = cells.map((cell) => cell.trim());
    if (headers.some((header) => /^[-−+]?\d+([.,]\d+)?$/.test(header))) {
      throw fileProblem(
        text.name,
        `has no header: the first row (${headers.slice(0, 4).join(", ")}, …) looks like data. Put the columns' names into a first row`,
        line,
      );
    }
    return headers;
  }
  throw fileProblem(text.name, "holds nothing but white space");
}
