import type { CliIo } from "./session.ts";

/** The shell's exit code after Ctrl-C. */
const interruptedExitCode = 130;

let interruption: AbortController | undefined;

function onInterruption(): AbortSignal {
  if (interruption === undefined) {
    const controller = new AbortController();
    interruption = controller;
    const interrupt = () => {
      // A second interruption ends the process without cleaning up.
      if (controller.signal.aborted) process.exit(interruptedExitCode);
      controller.abort(new Error("Interrupted."));
    };
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, interrupt);
    // A gateway hears it too, and then it interrupts nothing.
    process.on("SIGHUP", () => {
      if (process.listenerCount("SIGHUP") === 1) interrupt();
    });
  }
  return interruption.signal;
}

// `petak … | head` closes the pipe early, and a closed terminal rejects output; neither is a failure of the command.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  if (error.code !== "EIO") throw error;
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
});

/** This process as the environment of a command. */
export const processIo: CliIo = {
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  now: Date.now,
  interruption: onInterruption,
};
