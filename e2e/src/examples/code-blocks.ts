import { readFile } from "node:fs/promises";

/** A fenced code block of a page. */
export interface CodeBlock {
  /** The info string of the opening fence, e.g. `sh`. */
  language: string;
  code: string;
  /** The line of the opening fence, from 1. */
  line: number;
}

/** The fenced code blocks of a Markdown page, in order. */
export async function readCodeBlocks(path: string): Promise<CodeBlock[]> {
  const blocks: CodeBlock[] = [];
  let open: { language: string; lines: string[]; line: number } | undefined;
  for (const [index, text] of (await readFile(path, "utf8")).split("\n").entries()) {
    const [, language] = /^```(\w*)$/.exec(text) ?? [];
    if (language === undefined) {
      open?.lines.push(text);
    } else if (open === undefined) {
      open = { language, lines: [], line: index + 1 };
    } else {
      blocks.push({ language: open.language, code: open.lines.join("\n"), line: open.line });
      open = undefined;
    }
  }
  return blocks;
}

/** A text without the white space around each of its lines, to compare blocks with different indentation. */
export function withoutIndentation(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}
