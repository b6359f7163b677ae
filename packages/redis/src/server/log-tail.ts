import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** How many of the last lines an error quotes: the reason for a failed start is in the last few. */
const keptLines = 12;

/** Reads a server's log line by line, passes each on, and keeps the last ones for error messages. */
export function readLogTail(outputs: Readable[], onLine: ((line: string) => void) | undefined): () => string {
  const tail: string[] = [];
  for (const input of outputs) {
    createInterface({ input }).on("line", (line) => {
      tail.push(line);
      if (tail.length > keptLines) tail.shift();
      onLine?.(line);
    });
  }
  return () => (tail.length === 0 ? "It logged nothing." : `The end of its log:\n${tail.map((line) => `  ${line}`).join("\n")}`);
}
