import pc from "picocolors";
import type { CliFailure } from "../failure.ts";
import type { Colors } from "./colors.ts";
import { columnsOf, createProgress, type Progress } from "./progress.ts";
import { type Column, layOutTable } from "./table.ts";

/** A stream of the process, or a test's substitute. */
export interface TextStream {
  write(text: string): unknown;
  /** True for a terminal. */
  isTTY?: boolean;
  /** Its width in columns. */
  columns?: number;
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
  /** Columns of standard output; Infinity if it is not a terminal. */
  readonly width: number;
  /** Writes a line of the result. No effect with JSON. */
  print(line?: string): void;
  /** Writes a table of the result. No effect with JSON. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** Writes the result as JSON. No effect without JSON. */
  json(value: unknown): void;
  /** Writes a note to standard error. */
  note(line: string): void;
  /** Shows progress on standard error. See {@link createProgress}. */
  progress(label: string, total: number, unit: string | ((amount: number) => string)): Progress;
  /** Prints a failure: a sentence on standard error, or a JSON object on standard output. */
  fail(failure: CliFailure): void;
}

/** Makes a command's output. Colours are used only on a terminal, and never with NO_COLOR set. */
export function createOutput(options: OutputOptions): Output {
  const { stdout, stderr, json = false, color = true, env = process.env, now } = options;
  const mayColor = color && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  const colors = pc.createColors(mayColor && stdout.isTTY === true);
  const errorColors = pc.createColors(mayColor && stderr.isTTY === true);
  const width = stdout.isTTY === true ? columnsOf(stdout) : Number.POSITIVE_INFINITY;
  return {
    isJson: json,
    colors,
    width,
    print(line = "") {
      if (!json) stdout.write(`${line}\n`);
    },
    table(columns, rows) {
      if (json) return;
      for (const line of layOutTable(columns, rows, { width, paintTitle: colors.dim })) stdout.write(`${line}\n`);
    },
    json(value) {
      if (json) stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    note(line) {
      stderr.write(`${line}\n`);
    },
    progress(label, total, unit) {
      return createProgress({ stream: stderr, isTerminal: stderr.isTTY === true, colors: errorColors, label, total, unit, now });
    },
    fail(failure) {
      const { message, reason, fieldViolations, metadata, result } = failure;
      if (json) {
        const details = {
          ...(fieldViolations.length > 0 ? { fieldViolations } : {}),
          ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
        };
        stdout.write(`${JSON.stringify({ error: { reason, message, ...details }, ...result }, undefined, 2)}\n`);
        return;
      }
      // Print the protocol's reasons, so that people can look them up; the command's own would only repeat the sentence.
      const code = /^[A-Z_]+$/.test(reason) ? ` ${errorColors.dim(`[${reason}]`)}` : "";
      stderr.write(`${errorColors.red("petak:")} ${message}${code}\n`);
      if (fieldViolations.length > 1) {
        for (const { field, description } of fieldViolations) stderr.write(`  ${field}: ${description}\n`);
      }
    },
  };
}
