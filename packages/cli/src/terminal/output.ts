import type { CliFailure } from "../failure.ts";
import { type Colors, createColors, escapeLine, toTerminal } from "./colors.ts";
import { createLiveArea, type LiveArea } from "./live-area.ts";
import { columnsOf, createProgress, type Progress } from "./progress.ts";
import { type Column, layOutTable } from "./table.ts";

/** A stream of the process, or a test's substitute. */
export interface TextStream {
  write(text: string): unknown;
  /** True for a terminal. */
  isTTY?: boolean;
  /** Its width in columns. */
  columns?: number;
  /** Its height in lines. */
  rows?: number;
}

export interface OutputOptions {
  /** For results. */
  stdout: TextStream;
  /** For notes, progress and errors. */
  stderr: TextStream;
  /** True: one JSON value on `stdout` instead of text. Default false. */
  json?: boolean;
  /** False: no colours. Default true: colours on terminals. */
  color?: boolean;
  /** For NO_COLOR and TERM. Default: the process's. */
  env?: Record<string, string | undefined>;
  /** The time in ms, for progress. Default the process's monotonic clock. */
  now?: () => number;
}

/** The output of a command. */
export interface Output {
  /** Whether the result is one JSON value. */
  readonly isJson: boolean;
  /** Colours for standard output. */
  readonly colors: Colors;
  /** Colours for standard error. */
  readonly errorColors: Colors;
  /** Columns of standard output; Infinity if it is not a terminal. */
  readonly width: number;
  /** Writes a line of the result. No effect with JSON. */
  print(line?: string): void;
  /** Writes a table of the result. No effect with JSON. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** Writes the result as JSON. No effect without JSON. */
  json(value: unknown): void;
  /** Writes one of several results as one line of JSON. No effect without JSON. */
  jsonLine(value: unknown): void;
  /** Writes a note to standard error. */
  note(line: string): void;
  /** Shows progress on standard error. See {@link createProgress}. */
  progress(label: string, total: number, unit: string | ((amount: number) => string)): Progress;
  /** An area of standard error that is redrawn in place. Undefined: it is not a terminal that can do that. */
  liveArea(): LiveArea | undefined;
  /** Prints a failure: a sentence on standard error, or a JSON object on standard output. */
  fail(failure: CliFailure): void;
}

/**
 * Makes a command's output. What it writes may contain text of a stranger: a site's name, a gateway's error. So each line is escaped here, where all
 * of it passes, except for colours of {@link Output.colors}. Colours are used only on a terminal, and never with NO_COLOR set.
 */
export function createOutput(options: OutputOptions): Output {
  const { stdout, stderr, json = false, color = true, env = process.env, now } = options;
  const mayColor = color && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  const colors = createColors(mayColor && stdout.isTTY === true);
  const errorColors = createColors(mayColor && stderr.isTTY === true);
  const width = stdout.isTTY === true ? columnsOf(stdout) : Number.POSITIVE_INFINITY;
  const write = (stream: TextStream, line: string): void => void stream.write(`${toTerminal(line)}\n`);

  /** JSON escapes some characters itself. The lines are those of its layout. */
  function writeJson(value: unknown): void {
    stdout.write(`${JSON.stringify(value, undefined, 2).split("\n").map(escapeLine).join("\n")}\n`);
  }

  return {
    isJson: json,
    colors,
    errorColors,
    width,
    print(line = "") {
      if (!json) write(stdout, line);
    },
    table(columns, rows) {
      if (json) return;
      // Escaped before it is measured, too.
      const cells = rows.map((row) => row.map(escapeLine));
      for (const line of layOutTable(columns, cells, { width, paintTitle: colors.dim })) write(stdout, line);
    },
    json(value) {
      if (json) writeJson(value);
    },
    jsonLine(value) {
      if (json) stdout.write(`${escapeLine(JSON.stringify(value))}\n`);
    },
    note(line) {
      write(stderr, line);
    },
    progress(text, total, unit) {
      const label = escapeLine(text);
      return createProgress({ stream: stderr, isTerminal: stderr.isTTY === true, colors: errorColors, label, total, unit, now });
    },
    liveArea() {
      return stderr.isTTY === true && env.TERM !== "dumb" ? createLiveArea(stderr) : undefined;
    },
    fail(failure) {
      const { message, reason, fieldViolations, metadata, result } = failure;
      if (json) {
        const details = {
          ...(fieldViolations.length > 0 ? { fieldViolations } : {}),
          ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
        };
        writeJson({ error: { reason, message, ...details }, ...result });
        return;
      }
      // Print the protocol's reasons, so that people can look them up; the command's own would only repeat the sentence.
      const code = /^[A-Z_]+$/.test(reason) ? ` ${errorColors.dim(`[${reason}]`)}` : "";
      write(stderr, `${errorColors.red("petak:")} ${message}${code}`);
      if (fieldViolations.length > 1) {
        for (const { field, description } of fieldViolations) write(stderr, `  ${field}: ${description}`);
      }
    },
  };
}
