import { createWriteStream } from "node:fs";

/** A file to which log lines are added, for its owner only. */
export function openLogFile(path: string): { write(line: string): void } {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
  return {
    write: (line) => {
      stream.write(line);
    },
  };
}
