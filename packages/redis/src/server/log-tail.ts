import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Number of last log lines that an error message quotes. The reason for a failed start is among them. */
const keptLines = 12;

/**
 * Reads a server's log line by line, passes each line on, and keeps the last ones. Returns a function that formats those for an error
 * message.
 */
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
