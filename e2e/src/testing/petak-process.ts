import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { processEnv } from "@petak/testkit";

const launcher = join(import.meta.dirname, "../../../packages/cli/bin/petak.mjs");

/** A command's exit code and output. */
export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs `petak` until it exits, in its own folder, without the environment variables of the test run. */
export async function runPetak(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [launcher, ...args], { cwd, env: cleanEnv(env) }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** A running `petak start`. */
export interface StartedPetak {
  child: ChildProcess;
  /** All output on standard output so far. */
  said(): string;
  /** All output on standard error so far. */
  noted(): string;
  /** Presses Ctrl-C and waits for the exit. @returns the exit code; null if it ends by the signal, as npm does */
  interrupt(): Promise<number | null>;
  /** Ends it at once (SIGKILL), as a machine that dies, but for a private Redis. */
  kill(): void;
}

/** Runs `petak` and resolves when its output matches a pattern, or it has exited. */
export function startPetak(cwd: string, args: readonly string[], awaited: RegExp, env: Record<string, string> = {}): Promise<StartedPetak> {
  return startCommand(cwd, [process.execPath, launcher, ...args], awaited, env);
}

/** The same with a command that runs `petak`, such as `npm start`. */
export async function startCommand(
  cwd: string,
  [program, ...args]: readonly [string, ...string[]],
  awaited: RegExp,
  env: Record<string, string> = {},
): Promise<StartedPetak> {
  // A process group, to which a terminal would send its Ctrl-C.
  const child = spawn(program, args, { cwd, env: cleanEnv(env), stdio: "pipe", detached: true });
  let said = "";
  let noted = "";
  const exited = once(child, "exit") as Promise<[number | null]>;
  const heard = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (awaited.test(said)) resolve();
    });
  });
  child.stderr.on("data", (chunk: Buffer) => {
    noted += chunk.toString();
  });
  await Promise.race([heard, exited]);
  return {
    child,
    said: () => said,
    noted: () => noted,
    async interrupt() {
      const isRunning = child.exitCode === null && child.signalCode === null;
      if (isRunning && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      return (await exited)[0];
    },
    kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // The launcher has started the program in a process group of its own, and cannot tell it of its own sudden end.
      const { stdout } = spawnSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" });
      for (const pid of stdout.split("\n").filter(Boolean)) killGroup(Number(pid));
      child.kill("SIGKILL");
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function cleanEnv(extra: Record<string, string>): Record<string, string> {
  return processEnv({ HOME: process.env.HOME ?? "", NO_COLOR: "1", ...extra });
}
