import { CliFailure } from "../failure.ts";

/** A failure of the whole file: it cannot be read to its end, so nothing of it is imported. */
export function fileProblem(fileName: string, problem: string, line?: number): CliFailure {
  return new CliFailure(`${fileName}${line === undefined ? "" : `, line ${line}`}: ${problem}`, {
    reason: "file-unreadable",
    metadata: line === undefined ? {} : { line: String(line) },
  });
}
