import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { type Observation, observationLine, type RunHeader, runHeaderLine } from "@petak/simulator";

/** A run log that is being written. */
export interface RunLogFile {
  begin(header: RunHeader): void;
  add(observation: Observation): void;
  /** Completes the file. Returns why it is incomplete; undefined if it is complete. */
  end(): Promise<string | undefined>;
}

/** Opens a run log. What cannot be written is told at the end; the run goes on. */
export function openRunLog(path: string): RunLogFile {
  const file: WriteStream = createWriteStream(path);
  let problem: NodeJS.ErrnoException | undefined;
  file.on("error", (error) => {
    problem ??= error;
  });
  const write = (line: string) => {
    if (problem === undefined) file.write(`${line}\n`);
  };
  return {
    begin: (header) => write(runHeaderLine(header)),
    add: (observation) => write(observationLine(observation)),
    async end() {
      file.end();
      await finished(file).catch(() => undefined);
      return problem === undefined ? undefined : `${path} is incomplete (${problem.code ?? problem.message}).`;
    },
  };
}
