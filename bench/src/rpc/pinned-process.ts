import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { treeCpuSeconds } from "../process-cpu.ts";

/** A server in a process of its own. */
export interface PinnedServer {
  /** What it said in its first line. */
  ready: { port: number; [fact: string]: unknown };
  pid: number;
  /** Seconds of processor time that it has used. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts a server script on one core. It writes a line of JSON with its port when it takes calls. */
export async function startPinned(core: number, script: string, args: readonly string[] = []): Promise<PinnedServer> {
  const child = spawn("taskset", ["-c", String(core), process.execPath, script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), once(child, "exit").then(() => [""])])) as [string];
  if (line === "") throw new Error(`${script} ended before it took calls`);
  return {
    ready: JSON.parse(line) as PinnedServer["ready"],
    pid: child.pid ?? 0,
    cpuSeconds: () => treeCpuSeconds(child.pid ?? 0),
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}
