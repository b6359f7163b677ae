import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Message, transform } from "esbuild";
import { repositoryDir } from "../setup/run.mjs";
import { findImports } from "./imports.ts";

/** The entry points that run in browsers. Nothing reachable from them may depend on Node. */
export const browserDoors: readonly string[] = [
  "@petak/protocol",
  "@petak/protocol/counter",
  "@petak/lifecycle",
  "@petak/credential",
  "@petak/client",
  "@petak/ui",
  "@petak/agent/lease",
  "@petak/store-app",
  "@petak/picker",
];

/** Globals that a browser lacks, and the markers that replace them in a module that uses them. */
const nodeGlobals = ["Buffer", "process", "global", "require", "__dirname", "__filename", "setImmediate", "clearImmediate"];
const mark = (name: string): string => `petakNodeGlobal_${name}`;
const markedGlobals = Object.fromEntries(
  nodeGlobals.flatMap((name) => [
    [name, mark(name)],
    [`globalThis.${name}`, mark(name)],
  ]),
);

/**
 * Finds the dependencies on Node that are reachable from a module for browsers: Node's built-in modules, also in dependencies; and in our
 * own sources also types of Node's modules, and Node's globals. Modules are resolved as a bundler for browsers resolves them.
 *
 * @param name of a package or one of its subpaths, or an absolute path
 */
export async function findNodeUses(name: string): Promise<string[]> {
  try {
    const { metafile } = await build({
      stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: repositoryDir },
      absWorkingDir: repositoryDir,
      bundle: true,
      write: false,
      metafile: true,
      platform: "browser",
      format: "esm",
      logLevel: "silent",
    });
    const own = Object.keys(metafile.inputs).filter((path) => path.endsWith(".ts") && !path.includes("node_modules/"));
    return (await Promise.all(own.map(findInModule))).flat();
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (errors === undefined) throw error;
    return errors.map(({ text, location }) => `${location?.file ?? name}:${location?.line ?? 0}: ${text.split("\n")[0]}`);
  }
}

/**
 * The dependencies of one module on Node: types of Node's modules, and Node's globals, but not words in comments and strings, nor the
 * module's own names.
 */
async function findInModule(path: string): Promise<string[]> {
  const source = await readFile(join(repositoryDir, path), "utf8");
  const types = findImports(source).filter((name) => name.startsWith("node:"));
  const { code } = await transform(source, { loader: "ts", define: markedGlobals });
  const globals = nodeGlobals.filter((name) => code.includes(mark(name)));
  return [
    ...types.map((name) => `${path}: imports types of ${name}, which users in browsers do not have`),
    ...globals.map((name) => `${path}: uses ${name}, which browsers do not have`),
  ];
}
