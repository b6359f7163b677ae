/**
 * A line of CSV (RFC 4180). A text that a spreadsheet would read as a formula gets an apostrophe before it, since references and names are by strangers; numbers are
 * written as they are.
 */
export function csvLine(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? String(cell) : quoteCell(cell))).join(",");
}

function quoteCell(text: string): string {
  // Also behind spaces, which some spreadsheets drop, and in the full-width forms that some take for the same.
  const isFormula = /^\s*[=+\-@＝＋－＠]/.test(text) || /^[\t\r\n]/.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
