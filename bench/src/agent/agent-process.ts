import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { threadsCpuNanos } from "../process-cpu.ts";

/** A bundled agent in a process of its own, over simulated doors. */
export interface AgentProcess extends AsyncDisposable {
  /** From the start of the process until the agent said that it decides, in ms. */
  readonly readyMs: number;
  /** Shows a code. Resolves once the door is closed again. Throws if it does not open. */
  show(code: string): Promise<DecisionTime>;
  /** Memory in use, in MiB. */
  residentMiB(): number;
  /** Processor time used so far, in ms. */
  cpuMs(): number;
}

/** What a decision took, from the code that is written to the line that is read. */
export interface DecisionTime {
  readonly ms: number;
  /** Processor time of the agent, of all its threads. */
  readonly cpuMs: number;
}

/** As the unit of systemd runs it: a young generation of one MiB, since it makes little garbage and memory is what it should not take. */
const flags = ["--max-semi-space-size=1"];

interface Fact {
  event: string;
  opened?: boolean;
  refusal?: string;
  door?: string;
}

/** Starts `node petak-agent.mjs run`. Resolves when it is ready. */
export async function startAgentProcess(program: string, dataDir: string): Promise<AgentProcess> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...flags, program, "run", "--data-dir", dataDir, "--simulated", "--json"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const until = async (isIt: (fact: Fact) => boolean): Promise<Fact> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the agent has ended");
      const fact = JSON.parse(value) as Fact;
      if (isIt(fact)) return fact;
    }
  };
  await until(({ event }) => event === "ready");
  const readyMs = performance.now() - startedMs;
  const pid = child.pid ?? 0;
  const cpuMs = () => threadsCpuNanos(pid) / 1e6;
  return {
    readyMs,
    async show(code) {
      const [shownMs, usedMs] = [performance.now(), cpuMs()];
      child.stdin.write(`code ${code}\n`);
      const decision = await until(({ event }) => event === "decision");
      const took = { ms: performance.now() - shownMs, cpuMs: cpuMs() - usedMs };
      if (decision.opened !== true) throw new Error(`the agent refused a code (${decision.refusal})`);
      await until(({ event, door }) => event === "door" && door === "CLOSED");
      return took;
    },
    residentMiB: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024,
    cpuMs,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
