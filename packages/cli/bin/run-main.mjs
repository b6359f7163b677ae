import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { findNode, oldestNodeMajor } from "./find-node.mjs";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** A signal so soon after another is its echo: a terminal's Ctrl-C goes to npm and to us, and npm passes it on to us as well. */
const echoMs = 500;

/** How often to look whether npm is still there. */
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
  // In a group of its own, so that a signal reaches it from here alone, and once.
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", main, ...args], { stdio: "inherit", detached: true });
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      const nowMs = performance.now();
      // A terminal that was closed is a reason to end in good order, not to fall over.
      if (nowMs - lastMs >= echoMs) child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
      lastMs = nowMs;
    });
  }
  // npm passes SIGTERM to a shell of its own, which ends and tells nobody. Then this process has another parent, and that is the signal.
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
