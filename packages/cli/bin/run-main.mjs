import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { findNode, oldestNodeMajor } from "./find-node.mjs";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/**
 * Where compiled code is kept from one command to the next, which halves the time to start. In the project's own folder: others may write to that of temporary
 * files. If it cannot be written, nothing is kept.
 */
const compileCache = fileURLToPath(new URL("../../../node_modules/.cache/petak-compile", import.meta.url));

/** A signal within this time after another is a duplicate, in ms: Ctrl-C reaches npm and this process, and npm forwards it too. */
const echoMs = 500;

/** Interval of checking whether npm is still running, in ms. */
const parentPollMs = 200;

/**
 * Runs `src/main.ts` under the project's Node, with this process's input, output and signals, and ends with its exit code.
 *
 * @param {string[]} args
 */
export function runMain(args) {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `petak needs Node ${oldestNodeMajor}, which is not set up here yet. Run npm start once, in the project's folder.\n`,
    );
    process.exitCode = 1;
    return;
  }
  // In its own process group, so that it gets each signal once, from here.
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", main, ...args], {
    stdio: "inherit",
    detached: true,
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
  const hasTerminal = isatty(0) || isatty(1);
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      // From whoever supervises a gateway, which then reads its TLS files.
      if (signal === "SIGHUP" && !hasTerminal) return void child.kill("SIGHUP");
      const nowMs = performance.now();
      // After the terminal was closed, end gracefully.
      if (nowMs - lastMs >= echoMs) child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
      lastMs = nowMs;
    });
  }
  // npm passes SIGTERM to its shell, which exits without forwarding it. This process then has another parent, which counts as the signal.
  if (process.env.npm_command !== undefined) {
    const parent = process.ppid;
    const poll = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(poll);
      if (lastMs === Number.NEGATIVE_INFINITY) child.kill("SIGTERM");
    }, parentPollMs);
  }
  child.on("error", (error) => {
    process.stderr.write(`petak could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
  });
}
