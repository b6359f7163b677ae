import { parseNumber, parseTime, type TimeUnit } from "../input/cells.ts";
import { InputError } from "../input/input-error.ts";
import { type Row, readTable, type TableRow } from "../input/table.ts";
import { buildTrace, type Happening, type ImportedTrace, type TraceFacts } from "./build-trace.ts";
import type { Field } from "./field.ts";
import { type IntentionField, intentionFields } from "./intention.ts";

/** A field that a column can hold. */
export type ColumnField = Exclude<IntentionField, "id" | "atMs">;

/** How the columns of a CSV file are read. */
export interface ImportOptions extends TraceFacts {
  /** The column of the time at which somebody asks, and its unit. */
  time: { column: string; unit: TimeUnit };
  /** The columns of other fields, by field, each in the field's own unit. An empty cell counts as absent; `null` is null. */
  columns: Partial<Record<ColumnField, string>>;
  /** Column of the time of collection, in the unit of `time`: stayMs is the difference from the deposit. Empty cells: nobody collects. */
  collectedAt?: string;
}

/**
 * Makes a trace of a CSV file: a row for each intention, in any order.
 *
 * @throws InputError at the first row that cannot be read.
 */
export async function importRows(rows: AsyncIterable<Row> | Iterable<Row>, options: ImportOptions): Promise<ImportedTrace> {
  const { file, time, columns, collectedAt } = options;
  const used = [time.column, ...Object.values(columns), ...(collectedAt === undefined ? [] : [collectedAt])];
  if (columns.stayMs !== undefined && collectedAt !== undefined) {
    throw new InputError({ file }, "both a column of stays and one of collection times are given; keep one of them");
  }
  const happenings: Happening[] = [];
  for await (const row of readTable(rows, file, used)) happenings.push(readHappening(row, options));
  return buildTrace(happenings, options, {
    drawn: `Imported from the rows of ${file}.`,
    parameters: { file, time, columns, collectedAt: collectedAt ?? null },
    nameInFile: (field) => (field === "atMs" ? time.column : (columns[field as ColumnField] ?? field)),
  });
}

function readHappening(row: TableRow, { file, time, columns, collectedAt }: ImportOptions): Happening {
  const { line } = row;
  const atMs = parseTime(row.cell(time.column), time.unit, { file, line, field: time.column });
  const fields: Record<string, string | number | null> = {};
  for (const [name, column] of Object.entries(columns)) {
    const cell = row.cell(column);
    if (cell !== "") fields[name] = parseCell(intentionFields[name as ColumnField], cell, { file, line, field: column });
  }
  if (collectedAt !== undefined) {
    const place = { file, line, field: collectedAt };
    const cell = row.cell(collectedAt);
    const depositedAtMs = atMs + Number(fields.depositAfterMs ?? 0);
    const stayMs = cell === "" ? null : parseTime(cell, time.unit, place) - depositedAtMs;
    if (stayMs !== null && stayMs < 0) throw new InputError(place, `the collection is ${-stayMs} ms before the deposit`);
    fields.stayMs = stayMs;
  }
  return { line, atMs, fields };
}

function parseCell({ type }: Field, cell: string, place: { file: string; line: number; field: string }): string | number | null {
  if (cell === "null") return null;
  if (type.kind === "integer" || type.kind === "degrees") return parseNumber(cell, place);
  return cell;
}
