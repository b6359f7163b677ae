import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The first Node that runs TypeScript and has SQLite without flags. */
export const oldestNodeMajor = 24;

/** The Node that the npm package `node` installs, at the version that package.json pins. */
export const pinnedNodePath = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));

/**
 * The Node to run the project with: the pinned one; or, if that is not installed (an image without development dependencies, an unsupported system), the running one if
 * it is new enough.
 *
 * @returns {string | undefined} its path
 */
export function findNode() {
  if (existsSync(pinnedNodePath)) return pinnedNodePath;
  return Number(process.versions.node.split(".")[0]) >= oldestNodeMajor ? process.execPath : undefined;
}
