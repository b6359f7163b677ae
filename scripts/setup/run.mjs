import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode } from "../../packages/cli/bin/find-node.mjs";

/** The root of the repository. */
export const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs a command until it exits, in the repository's root, and captures its output.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string; env?: Record<string, string> }} [options]
 * @returns {Promise<{ code: number; output: string }>} its exit code, and both outputs in the order of arrival; 127 and the reason if it
 * cannot be run
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? repositoryDir,
      env: { ...environment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Runs a script of this repository under the project's Node, with this process's input and outputs.
 *
 * @param {string} script its path in the repository
 * @param {string[]} args
 * @param {{ env?: Record<string, string> }} [options]
 * @returns {Promise<number>} its exit code
 */
export function runUnderNode(script, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(findNode() ?? process.execPath, [join(repositoryDir, script), ...args], {
      cwd: repositoryDir,
      env: { ...environment(), ...options.env },
      stdio: "inherit",
    });
    // A terminal's Ctrl-C reaches the child directly; this process waits for it to exit.
    const onInterrupt = () => {};
    const onTerminate = () => child.kill("SIGTERM");
    process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
    child.on("error", reject);
    child.on("exit", (code) => {
      process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
      resolve(code ?? 1);
    });
  });
}

/** The environment, with the tools of node_modules first on the PATH. */
function environment() {
  return { ...process.env, PATH: `${join(repositoryDir, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}` };
}
