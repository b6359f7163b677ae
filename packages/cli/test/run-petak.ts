import { lazyCommands } from "../src/commands.ts";
import type { ExitCode } from "../src/exit-code.ts";
import { run } from "../src/run.ts";

/** What a run of `petak` left behind. */
export interface PetakRun {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunPetakOptions {
  /** The folder it is called in. Default: one without anything, the root. */
  cwd?: string;
  env?: Record<string, string>;
  /** Interrupts the command when it aborts. */
  interruption?: AbortSignal;
  /** Called with what the command writes to standard output, as it writes it. */
  onPrint?: (text: string) => void;
}

/** Runs `petak` in this process, with no terminal behind it. */
export async function runPetak(argv: readonly string[], options: RunPetakOptions = {}): Promise<PetakRun> {
  const { cwd = "/", env = {}, interruption, onPrint } = options;
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await run(
    {
      argv,
      env,
      cwd,
      stdout: {
        write(text) {
          out.push(text);
          onPrint?.(text);
        },
      },
      stderr: { write: (text) => err.push(text) },
      now: Date.now,
      interruption: () => interruption ?? new AbortController().signal,
    },
    lazyCommands,
  );
  return { exitCode, stdout: out.join(""), stderr: err.join("") };
}
