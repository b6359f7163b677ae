import { installDependencies } from "./dependencies.mjs";
import { installPinnedNode } from "./pinned-node.mjs";
import { runUnderNode } from "./run.mjs";
import { SetUpError } from "./set-up-error.mjs";

export { SetUpError };

const oldestMajor = 20;

/**
 * Prepares this machine. Does only what is missing, and prints nothing if nothing is.
 *
 * @param {{ server: boolean; bothServers?: boolean; chromium?: boolean; python?: boolean; ciTools?: boolean }} needs whether a Redis or
 * Valkey server is required, whether both are wanted, whether a Chromium is required, and whether gRPC for Python and the programs of `ci` are wanted
 * @throws {SetUpError}
 */
export async function setUp(needs) {
  if (Number(process.versions.node.split(".")[0]) < oldestMajor) {
    throw new SetUpError(`Node ${process.versions.node} is too old to set this up; Node ${oldestMajor} or newer is required.`);
  }
  await installDependencies();
  await installPinnedNode();
  if (needs.server && (await runUnderNode("scripts/setup/redis-server.ts", needs.bothServers === true ? ["--both"] : [])) !== 0) {
    throw new SetUpError("Nothing was started.");
  }
  if (needs.chromium === true && (await runUnderNode("scripts/setup/chromium.ts", [])) !== 0) {
    throw new SetUpError("No test was run.");
  }
  if (needs.python === true) await runUnderNode("scripts/setup/python-grpc.ts", []);
  if (needs.ciTools === true) await runUnderNode("scripts/setup/ci-tools.ts", []);
}

/** The same for a script: prints a failure and exits. @param {{ server: boolean }} needs */
export async function setUpOrExit(needs) {
  try {
    await setUp(needs);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
