/** What a terminal of endless height shows. */
export interface Screen {
  readonly lines: readonly string[];
  readonly cursorLine: number;
}

const escapeCharacter = "\u001b";
const piece = new RegExp(`(${escapeCharacter}\\[([\\d;?]*)([A-Za-z]))|([^${escapeCharacter}])`, "gu");

/** Plays what a program wrote. Knows what a live area uses: line breaks, carriage returns, cursor up, erase to the end of line and screen, colours. */
export function playTerminal(written: string, columns: number): Screen {
  const lines: string[] = [""];
  let [row, column] = [0, 0];
  for (const [, sequence, count, final, character] of written.matchAll(piece)) {
    if (sequence !== undefined) {
      if (final === "A") row = Math.max(0, row - Number(count || 1));
      else if (final === "K") lines[row] = (lines[row] ?? "").slice(0, column);
      else if (final === "J") lines.splice(row, lines.length, (lines[row] ?? "").slice(0, column));
      else if (final !== "m") throw new Error(`The terminal of tests does not know the sequence ${JSON.stringify(sequence)}.`);
    } else if (character === "\n") {
      [row, column] = [row + 1, 0];
      lines[row] ??= "";
    } else if (character === "\r") column = 0;
    else if (character !== undefined) {
      if (column === columns) {
        [row, column] = [row + 1, 0];
        lines[row] ??= "";
      }
      const line = (lines[row] ?? "").padEnd(column);
      lines[row] = line.slice(0, column) + character + line.slice(column + 1);
      column += 1;
    }
  }
  return { lines, cursorLine: row };
}
