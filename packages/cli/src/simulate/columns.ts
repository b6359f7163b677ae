import { usageFailure } from "../failure.ts";
import { type CsvRow, detectDelimiter, readCsvRows } from "../import-sites/csv-rows.ts";
import { openText, type TextSource } from "../import-sites/text-source.ts";

/** A CSV file whose first row names the columns. */
export interface CsvFile {
  readonly name: string;
  /** The names in the first row. */
  readonly headers: readonly string[];
  /** All rows, the first too. */
  rows(): AsyncGenerator<CsvRow, void, undefined>;
}

/**
 * Opens a CSV file; its delimiter is detected.
 *
 * @throws CliFailure if it cannot be read.
 */
export async function openCsvFile(path: string): Promise<CsvFile> {
  return await csvOf(await openText(path));
}

/** A text as a CSV file. See {@link openCsvFile}. */
export async function csvOf(text: TextSource): Promise<CsvFile> {
  let start = "";
  for await (const piece of text.read()) {
    start = piece;
    break;
  }
  const delimiter = detectDelimiter(start);
  const rows = () => readCsvRows(text.read(), delimiter, text.name);
  for await (const { cells } of rows()) return { name: text.name, headers: cells.map((cell) => cell.trim()), rows };
  return { name: text.name, headers: [], rows };
}

/**
 * Parses an option such as `latitude=lat,stayMs=stay`: a column for each field.
 *
 * @throws CliFailure (usage) if a field is unknown, or names no column.
 */
export function parseColumns<Field extends string>(
  flag: string,
  text: string | undefined,
  fields: readonly Field[],
): Partial<Record<Field, string>> {
  const columns: Partial<Record<Field, string>> = {};
  // A comma ends a pair only if another field follows, so that names of columns may have commas.
  for (const pair of text === undefined ? [] : text.split(/,(?=\s*[A-Za-z]+\s*=)/)) {
    const [, field = "", column = ""] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    const known = fields.find((one) => one === field);
    if (known === undefined) throw usageFailure(`${flag} knows no field "${field || pair.trim()}". Fields: ${fields.join(", ")}.`);
    if (column === "") throw usageFailure(`${flag} names no column for ${field}: write ${field}=COLUMN.`);
    columns[known] = column;
  }
  return columns;
}

/** The first header that is one of the usual names, whatever its capitals and punctuation. */
export function guessColumn(headers: readonly string[], usualNames: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  for (const name of usualNames) {
    const found = headers.find((header) => plain(header) === plain(name));
    if (found !== undefined) return found;
  }
  return undefined;
}
