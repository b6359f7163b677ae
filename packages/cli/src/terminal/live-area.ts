import { stripVTControlCharacters } from "node:util";
import { escapeLine, toTerminal } from "./colors.ts";
import { columnsOf } from "./progress.ts";
import { textWidth, truncate } from "./text-width.ts";

/** The last lines of a terminal, redrawn in place. Nothing of the terminal is changed but these lines, so that there is nothing to restore. */
export interface LiveArea {
  /** Room for lines and their columns; changes when the user resizes the terminal. */
  size(): { readonly columns: number; readonly rows: number };
  /** Replaces the lines in one write. What does not fit is cut; strangers' text in them is escaped. */
  draw(lines: readonly string[]): void;
  /** Writes a line that stays, above the area. */
  print(line: string): void;
  /** Removes the area. */
  clear(): void;
}

export interface TerminalStream {
  write(text: string): unknown;
  columns?: number;
  rows?: number;
}

/** Makes an area at the cursor of a terminal. It must not be written to by others meanwhile. */
export function createLiveArea(stream: TerminalStream): LiveArea {
  let drawn: readonly string[] = [];

  function size() {
    const rows = stream.rows === undefined || stream.rows === 0 ? 24 : stream.rows;
    // A line of the full width would wrap on some terminals; below the last line stands the cursor.
    return { columns: columnsOf(stream) - 1, rows: rows - 1 };
  }

  /** To the beginning of the area. Lines of a terminal that became narrower take several rows. */
  function toStart(): string {
    const columns = columnsOf(stream);
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
    return rows === 0 ? "\r" : `\r\u001b[${rows}A`;
  }

  function fit(line: string): string {
    const escaped = escapeLine(line);
    const { columns } = size();
    return textWidth(escaped) <= columns ? escaped : truncate(stripVTControlCharacters(escaped), columns);
  }

  function draw(lines: readonly string[]): void {
    const start = toStart();
    drawn = lines.slice(0, size().rows).map(fit);
    stream.write(`${start}${drawn.map((line) => `${toTerminal(line)}\u001b[K\n`).join("")}\u001b[J`);
  }

  function clear(): void {
    if (drawn.length > 0) stream.write(`${toStart()}\u001b[J`);
    drawn = [];
  }

  return {
    size,
    draw,
    print(line) {
      const below = drawn;
      clear();
      stream.write(`${toTerminal(line)}\n`);
      if (below.length > 0) draw(below);
    },
    clear,
  };
}
