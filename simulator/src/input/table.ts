import { InputError, show } from "./input-error.ts";

/** A row of a CSV file, as its reader gives it. */
export interface Row {
  /** Its line in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row of a table with named columns. */
export interface TableRow {
  readonly line: number;
  /** The cell of a column, without surrounding white space. "" if it is empty. */
  cell(column: string): string;
}

/**
 * Reads rows of which the first names the columns.
 *
 * @param columns the columns that the caller reads
 * @throws InputError if there is no such row, a column is not in it, or a row has another number of cells.
 */
export async function* readTable(
  rows: AsyncIterable<Row> | Iterable<Row>,
  file: string,
  columns: readonly string[],
): AsyncGenerator<TableRow, void, undefined> {
  let numbers: ReadonlyMap<string, number> | undefined;
  for await (const { line, cells } of rows) {
    if (numbers === undefined) {
      numbers = new Map(cells.map((cell, index) => [cell.trim(), index]));
      for (const column of columns) {
        if (numbers.has(column)) continue;
        throw new InputError(
          { file, line },
          `there is no column ${show(column)}; the columns are ${cells.map((cell) => cell.trim()).join(", ")}`,
        );
      }
      continue;
    }
    if (cells.length !== numbers.size) {
      throw new InputError(
        { file, line },
        `the row has ${cells.length} cells and the header ${numbers.size}; perhaps a cell with a comma is not in quotes`,
      );
    }
    const known = numbers;
    yield { line, cell: (column) => (cells[known.get(column) ?? -1] ?? "").trim() };
  }
  if (numbers === undefined) throw new InputError({ file }, "has no rows; the first one names the columns");
}
