import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { repositoryDir } from "../setup/run.mjs";
import { browserDoors, findNodeUses } from "./browser-doors.ts";
import type { Check } from "./check.ts";
import { folderTable } from "./folder-table.ts";
import { findFolderProblems, ownImports } from "./folders.ts";
import { findImports, packageOf } from "./imports.ts";
import { layerTable } from "./layer-table.ts";
import { listWorkspaces, type Manifest } from "./workspaces.ts";

/**
 * Checks that imports point down, form no circles, name exported modules, stay within their package if relative, and are declared; and that modules for
 * browsers do not depend on Node.
 */
export const layers: Check = {
  name: "layers",
  run: async () => {
    const workspaces = listWorkspaces();
    const manifests = new Map(workspaces.map(({ manifest }) => [manifest.name, manifest]));
    const problems: string[] = [];
    for (const { dir, manifest } of workspaces) {
      const modules = new Map<string, ReadonlySet<string>>();
      for await (const path of glob(join(dir, "**/*.{ts,mjs}"), { cwd: repositoryDir, exclude: ["**/node_modules/**", "**/gen/**"] })) {
        const source = readFileSync(join(repositoryDir, path), "utf8");
        const file = { path: relative(dir, path), source };
        problems.push(...findProblems(file, manifest, manifests).map((problem) => `${path}: ${problem}`));
        if (!file.path.startsWith("src/") || isTestFile(file.path)) continue;
        const module = relative("src", file.path);
        modules.set(module, new Set(ownImports(module, findImports(source))));
      }
      problems.push(...findFolderProblems(modules, folderTable[manifest.name]).map((problem) => `${dir}/src: ${problem}`));
    }
    problems.push(...(await Promise.all(browserDoors.map(findNodeUses))).flat());
    return { passed: problems.length === 0, output: problems.map((problem) => `${problem}\n`).join("") };
  },
};

/**
 * Finds the problems with the imports of one file.
 *
 * @param file its path in its workspace, and its source
 * @param owner the manifest of its workspace
 * @param manifests all workspaces' manifests, by name
 */
export function findProblems(file: { path: string; source: string }, owner: Manifest, manifests: ReadonlyMap<string, Manifest>): string[] {
  const isTest = layerTable[owner.name] === "all" || isTestFile(file.path);
  return findImports(file.source).flatMap((name) => {
    if (name.startsWith(".")) return checkRelative(name, file.path, isTest);
    const packageName = packageOf(name);
    if (packageName === undefined) return [];
    const target = manifests.get(packageName);
    if (target !== undefined) return checkWorkspace(name, target, owner, isTest);
    const declared = isTest || owner.dependencies?.[packageName] !== undefined;
    return declared ? [] : [`imports ${packageName}, which ${owner.name} does not list in its dependencies`];
  });
}

/**
 * Whether a file is a test, shared test code (in a folder `testing`) or test configuration. These run in a checkout, so they may use any
 * installed package; no other file may import them.
 */
function isTestFile(path: string): boolean {
  return path.endsWith(".test.ts") || /(^|\/)(test|testing)\//.test(path) || path === "vitest.config.ts";
}

function checkRelative(name: string, path: string, isTest: boolean): string[] {
  // A workspace's vitest.config.ts imports the shared configuration from the root.
  if (path === "vitest.config.ts") return [];
  const target = join(dirname(path), name);
  if (target.startsWith("..")) return [`imports ${name}, which lies in another package; import that by its name`];
  return !isTest && isTestFile(target) ? [`imports ${name}, which is for tests only`] : [];
}

function checkWorkspace(name: string, target: Manifest, owner: Manifest, isTest: boolean): string[] {
  const problems: string[] = [];
  const subpath = `.${name.slice(target.name.length)}`;
  if (target.exports?.[subpath] === undefined) problems.push(`imports ${name}, which ${target.name} does not export`);
  if (target.name === owner.name || isTest) return problems;
  if (subpath.startsWith("./testing/")) problems.push(`imports ${name}, which is for tests only`);
  const allowed = layerTable[owner.name];
  if (allowed?.includes(target.name) !== true) {
    problems.push(`imports ${target.name}, which lies above or beside ${owner.name} (see scripts/checks/layer-table.ts)`);
  } else if (owner.dependencies?.[target.name] === undefined) {
    problems.push(`imports ${target.name}, which ${owner.name} does not list in its dependencies`);
  }
  return problems;
}
