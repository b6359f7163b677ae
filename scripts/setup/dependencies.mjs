import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withProgress } from "./progress.mjs";
import { repositoryDir, run } from "./run.mjs";
import { SetUpError } from "./set-up-error.mjs";

/** Installs the dependencies of package-lock.json, unless they are installed. */
export async function installDependencies() {
  if (areInstalled()) return;
  await withProgress("Installing dependencies", async () => {
    // With development dependencies whatever NODE_ENV says, because the project's own Node is one of them.
    const { code, output } = await run("npm", ["ci", "--include=dev", "--loglevel=error"]);
    if (code !== 0) throw new SetUpError(`${output}\nThe dependencies could not be installed: npm ci failed; its output is above.`);
  });
}

/**
 * Whether node_modules contains the packages of the lock file, by npm's record in it. Optional packages may be missing: they are for other
 * systems.
 */
function areInstalled() {
  const wanted = readLock("package-lock.json");
  const installed = readLock("node_modules/.package-lock.json");
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true;
    return ["version", "integrity", "link", "bin"].every((key) => JSON.stringify(found[key]) === JSON.stringify(entry[key]));
  });
}

/**
 * @param {string} path @returns {Record<string, Record<string, unknown>> | undefined} its packages by path; undefined if there is no such
 * file
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(repositoryDir, path), "utf8")).packages;
  } catch {
    return undefined;
  }
}
