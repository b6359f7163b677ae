import { closeSync, openSync, writeSync } from "node:fs";
import { CliFailure } from "../failure.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";

/** Collects refusals: the first ones, counts by reason, and optionally a file with all of them. */
export interface RefusalReport {
  add(refusal: Refusal): void;
  readonly count: number;
  /** The first refusals, at most 20. */
  readonly first: readonly Refusal[];
  /** Counts by reason, most frequent first. */
  counts(): [RefusalReason, number][];
  /** Completes the file. */
  close(): void;
}

const mostShown = 20;
const bufferCharacters = 65_536;

/**
 * Makes a report.
 *
 * @param path file for all refusals: JSON if it ends in `.json`, else CSV. Undefined: no file
 * @throws CliFailure if the file cannot be written.
 */
export function createRefusalReport(path: string | undefined): RefusalReport {
  const counts = new Map<RefusalReason, number>();
  const first: Refusal[] = [];
  const isJson = path?.toLowerCase().endsWith(".json") === true;
  const file = path === undefined ? undefined : openReport(path);
  let count = 0;
  let buffer = isJson ? "[" : "row,line,reason,message,reference,name\n";

  function flush(): void {
    if (file !== undefined) writeSync(file, buffer);
    buffer = "";
  }

  return {
    add(refusal) {
      const { row, line, reason, message, reference, name } = refusal;
      if (first.length < mostShown) first.push(refusal);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      count += 1;
      if (file === undefined) return;
      buffer += isJson
        ? `${count === 1 ? "\n" : ",\n"}${JSON.stringify({ row, line, reason, message, reference, name })}`
        : `${[String(row), String(line), reason, message, reference, name].map(toCell).join(",")}\n`;
      if (buffer.length > bufferCharacters) flush();
    },
    get count() {
      return count;
    },
    first,
    counts: () => [...counts].sort(([, a], [, b]) => b - a),
    close() {
      if (file === undefined) return;
      if (isJson) buffer += "\n]\n";
      flush();
      closeSync(file);
    },
  };
}

function openReport(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new CliFailure(`The report ${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

/** A cell of a CSV file. */
export function toCell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
