import { installDependencies } from "./dependencies.mjs";
import { installPinnedNode } from "./pinned-node.mjs";
import { runUnderNode } from "./run.mjs";
import { SetUpError } from "./set-up-error.mjs";

export { SetUpError };

const oldestMajor = 20;

/**
 * Makes this machine ready, doing only what is not done yet, and saying nothing where nothing is to do.
 *
 * @param {{ server: boolean; bothServers?: boolean; chromium?: boolean; python?: boolean }} needs whether a Redis or Valkey server is needed, whether both
 * are wanted, whether a Chromium is needed, and whether gRPC for Python is wanted
 * @throws {SetUpError}
 */
export async function setUp(needs) {
  if (Number(process.versions.node.split(".")[0]) < oldestMajor) {
    throw new SetUpError(`Node ${process.versions.node} is too old to set this up; Node ${oldestMajor} or newer will do.`);
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
}

/** The same, for a script that has nothing else to do when it fails. @param {{ server: boolean }} needs */
export async function setUpOrExit(needs) {
  try {
    await setUp(needs);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
