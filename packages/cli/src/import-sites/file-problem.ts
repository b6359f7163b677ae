import { CliFailure } from "../failure.ts";

/** A failure that makes the whole file unreadable, so nothing is imported. */
export function fileProblem(fileName: string, problem: string, line?: number): CliFailure {
  return new CliFailure(`${fileName}${line === undefined ? "" : `, line ${line}`}: ${problem}`, {
    reason: "file-unreadable",
    metadata: line === undefined ? {} : { line: String(line) },
  });
}
