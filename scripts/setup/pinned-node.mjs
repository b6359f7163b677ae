import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findNode, oldestNodeMajor, pinnedNodePath } from "../../packages/cli/bin/find-node.mjs";
import { withProgress } from "./progress.mjs";
import { repositoryDir, run } from "./run.mjs";
import { SetUpError } from "./set-up-error.mjs";

const packageDir = join(repositoryDir, "node_modules/node");

/**
 * Ensures that the project's Node is installed and runs. npm installs it with a script of the package `node`, which newer versions of npm
 * run only on request; then the script is run here.
 */
export async function installPinnedNode() {
  if (await isInstalled()) return;
  let output = "";
  await withProgress("Installing the project's Node", async () => {
    ({ output } = await run(process.execPath, ["installArchSpecificPackage.js"], { cwd: packageDir }));
  });
  if (await isInstalled()) return;
  // A binary that does not run here, e.g. because of another C library, is removed.
  rmSync(pinnedNodePath, { force: true });
  if (findNode() === undefined) {
    throw new SetUpError(
      `${output}\nNode ${pinnedVersion()} could not be installed; with Node ${oldestNodeMajor} on the PATH, this one is not needed.`,
    );
  }
}

async function isInstalled() {
  const { code, output } = await run(pinnedNodePath, ["--version"]);
  return code === 0 && output.trim() === `v${pinnedVersion()}`;
}

/** @returns {string} */
function pinnedVersion() {
  return JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")).version;
}
