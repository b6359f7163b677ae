import { pad, textWidth, truncate } from "./text-width.ts";

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** Default left. Numbers read better on the right. */
  readonly align?: "left" | "right";
  /** True: the column is shortened if the terminal is too narrow. Default false. */
  readonly flexible?: boolean;
  /** Colours a cell. Default none. */
  readonly paint?: (text: string) => string;
}

export interface TableOptions {
  /** Columns of the terminal. Infinity: nothing is shortened. */
  readonly width: number;
  /** Colours the titles. */
  readonly paintTitle: (text: string) => string;
}

const gap = "  ";
const narrowest = 8;

/** Formats a table as lines. Flexible columns are shortened, widest first, until the table fits; the others never are. */
export function layOutTable(columns: readonly Column[], rows: readonly (readonly string[])[], options: TableOptions): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), textWidth(title)),
  );
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (columns.length - 1)) - options.width;
  while (excess > 0) {
    const [widest] = columns
      .map(({ flexible }, index) => ({ index, width: flexible === true ? (widths[index] ?? 0) : 0 }))
      .sort((a, b) => b.width - a.width);
    if (widest === undefined || widest.width <= narrowest) break;
    widths[widest.index] = widest.width - 1;
    excess -= 1;
  }
  const line = (cells: readonly string[], paint: (column: Column, cell: string) => string) =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        return paint(column, pad(truncate(cells[index] ?? "", width), width, column.align));
      })
      .join(gap)
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      (_, cell) => options.paintTitle(cell),
    ),
    ...rows.map((row) => line(row, (column, cell) => column.paint?.(cell) ?? cell)),
  ];
}
