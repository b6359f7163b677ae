import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DeviceFact } from "@petak/agent/device";
import { orAborted } from "../abort.ts";
import { CliFailure } from "../failure.ts";

/** `petak agent run --json` in a process of its own. */
export interface AgentProgram {
  /** Writes a line to its standard input. */
  type(line: string): void;
  /** The next fact of a kind, after those that were waited for before. Throws a CliFailure if the program ends first. */
  until<Event extends DeviceFact["event"]>(event: Event): Promise<DeviceFact & { event: Event }>;
  /** Ends the program and waits until it has. */
  stop(): Promise<void>;
}

const main = join(import.meta.dirname, "../main.ts");

/**
 * Starts the agent of an enrolled device.
 *
 * @param options over which doors, or at which counter, and how it connects
 * @param signal ends what is being waited for, not the program
 */
export function startAgentProgram(dataDir: string, options: readonly string[], signal: AbortSignal): AgentProgram {
  const args = ["--disable-warning=ExperimentalWarning", main, "agent", "run", "--data-dir", dataDir, ...options, "--json"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close");
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  // A line to a program that has ended fails here too; what is waited for says so.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    type: (line) => void child.stdin.write(`${line}\n`),
    async until(event) {
      for (;;) {
        const next = await orAborted(lines.next(), signal);
        if (next.done === true) throw new CliFailure(`The device's program has ended. ${said.trim()}`.trim(), { reason: "agent-ended" });
        // The program's last word is a failure in lines of its own.
        const fact = next.value.startsWith('{"at":') ? (JSON.parse(next.value) as DeviceFact) : undefined;
        if (fact === undefined) said += next.value;
        else if (fact.event === event) return fact as DeviceFact & { event: typeof event };
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
