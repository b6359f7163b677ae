import { Readable } from "node:stream";
import { lazyCommands } from "../commands.ts";
import type { ExitCode } from "../exit-code.ts";
import { run } from "../run.ts";

/** Result of a run of `petak`. */
export interface PetakRun {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunPetakOptions {
  /** Working directory. Default: the root, which has no key files. */
  cwd?: string;
  env?: Record<string, string>;
  /** Interrupts the command when it aborts. */
  interruption?: AbortSignal;
  /** Standard input. Default: it has ended. */
  stdin?: NodeJS.ReadableStream;
  /** The time, in ms since 1970. Default: `Date.now`. */
  now?: () => number;
  /** Called with each piece of standard output. */
  onPrint?: (text: string) => void;
}

/** Runs `petak` in this process, without a terminal. */
export async function runPetak(argv: readonly string[], options: RunPetakOptions = {}): Promise<PetakRun> {
  const { cwd = "/", env = {}, interruption, stdin = Readable.from([]), now = Date.now, onPrint } = options;
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
      stdin: () => stdin,
      now,
      interruption: () => interruption ?? new AbortController().signal,
    },
    lazyCommands,
  );
  return { exitCode, stdout: out.join(""), stderr: err.join("") };
}
