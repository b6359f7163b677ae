import { pipeline, Readable } from "node:stream";
import { CsvError, type InfoRecord, parse } from "csv-parse";
import { fileProblem } from "./file-problem.ts";

/** One row of a CSV file. */
export interface CsvRow {
  /** Its first line, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Longest row, in characters; a longer one has an unclosed quote or is not CSV. */
const longestRow = 128_000;

/**
 * Reads the rows of a CSV text (RFC 4180), including the header. Skips blank rows; rows may have different numbers of cells.
 *
 * @throws CliFailure with the row's first line if quotes do not match or the row is longer than 128,000 characters.
 */
export async function* readCsvRows(
  pieces: AsyncIterable<string>,
  delimiter: string,
  fileName: string,
): AsyncGenerator<CsvRow, void, undefined> {
  let lastLine = 0;
  const parser = parse({
    delimiter,
    record_delimiter: "\n",
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: longestRow,
    on_record(cells: string[], { lines }: InfoRecord) {
      lastLine = lines;
      const withinCells = cells.reduce((sum, cell) => sum + (cell.includes("\n") ? cell.split("\n").length - 1 : 0), 0);
      return { line: lines - withinCells, cells } as unknown as string[];
    },
  });
  // The pipeline destroys the parser with the source's error, which thus reaches the reader.
  pipeline(Readable.from(pieces), parser, () => {});
  try {
    for await (const row of parser as AsyncIterable<CsvRow>) {
      if (row.cells.some((cell) => cell.trim() !== "")) yield row;
    }
  } catch (error) {
    throw error instanceof CsvError ? fileProblem(fileName, problemOf(error), lastLine + 1) : error;
  } finally {
    parser.destroy();
  }
}

function problemOf({ code, message }: CsvError): string {
  switch (code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return "the row that begins here opens a quote that is never closed";
    case "CSV_MAX_RECORD_SIZE":
      return `the row that begins here is longer than ${longestRow} characters; perhaps a quote is not closed`;
    case "INVALID_OPENING_QUOTE":
      return 'the row that begins here has a quote in the middle of a cell: put the cell into quotes and write "" for a quote within (seconds of an angle may be written s)';
    case "CSV_INVALID_CLOSING_QUOTE":
      return 'the row that begins here has text after a closing quote: write "" for a quote within a quoted cell';
    default:
      return `is no CSV: ${message}`;
  }
}

/** The delimiters that are detected. */
const delimiters = [",", ";", "\t", "|"];

/** The delimiter that splits the first line into the most cells, respecting quotes; by default a comma. */
export function detectDelimiter(text: string): string {
  const counts = new Map(delimiters.map((delimiter) => [delimiter, 0]));
  let isQuoted = false;
  for (const character of text.trimStart()) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === "\n") break;
    else if (counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  return best !== undefined && best[1] > 0 ? best[0] : ",";
}
