import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
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

/** How Node is started for a server. */
export interface NodeOptions {
  /** Before the script, such as `--import`. */
  execArgs?: readonly string[];
  /** Beside the environment of this process. */
  env?: Readonly<Record<string, string>>;
}

/** Starts a server script on one core. It writes lines of JSON, one of them with its port when it takes calls. */
export async function startPinned(
  core: number,
  script: string,
  args: readonly string[] = [],
  { execArgs = [], env = {} }: NodeOptions = {},
): Promise<PinnedServer> {
  const child = spawn("taskset", ["-c", String(core), process.execPath, ...execArgs, script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout });
  const ready = await Promise.race([firstFacts(lines), once(child, "exit").then(() => undefined)]);
  if (ready === undefined) throw new Error(`${script} ended before it took calls`);
  return {
    ready,
    pid: child.pid ?? 0,
    cpuSeconds: () => treeCpuSeconds(child.pid ?? 0),
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What a server says of itself, in the first line with a port: a gateway may log before it. */
function firstFacts(lines: Interface): Promise<PinnedServer["ready"]> {
  return new Promise((resolve) => {
    lines.on("line", (line) => {
      const said = JSON.parse(line) as Partial<PinnedServer["ready"]> & { service?: unknown };
      if (said.port !== undefined && said.service === undefined) resolve(said as PinnedServer["ready"]);
      else process.stderr.write(`${line}\n`);
    });
  });
}
