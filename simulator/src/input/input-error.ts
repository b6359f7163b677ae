import { escapeUnprintable } from "@petak/protocol/printable-text";

/** Where in a file a problem is. */
export interface InputPlace {
  /** The file's name, or another name of the input. */
  file: string;
  /** Its line, from 1. */
  line?: number;
  /** Name of the column, field or property. */
  field?: string;
}

/**
 * Unusable input: a file, or a value in one. The message is one sentence that says the place, the value, the limit and what to do. Nothing after the place
 * can be read, so the whole input is refused. What it quotes of a file is escaped, so that it can be printed.
 */
export class InputError extends Error {
  override readonly name: string = "InputError";
  readonly file: string;
  readonly line: number | undefined;
  readonly field: string | undefined;

  /** @param problem continues "FILE, line 3, field atMs: " */
  constructor({ file, line, field }: InputPlace, problem: string, options?: ErrorOptions) {
    const place = [file, line === undefined ? "" : `line ${line}`, field ?? ""].filter((part) => part !== "").join(", ");
    super(escapeUnprintable(`${place}: ${problem}`), options);
    this.file = file;
    this.line = line;
    this.field = field;
  }
}

/** The input ends too early, e.g. because its writer was killed. All that was read of it before is right. */
export class CutOffError extends InputError {
  override readonly name = "CutOffError";
}

const longestShown = 40;

/** A value for a message: as JSON, and cut. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
