/**
 * `npm run cli:bundle [-- --out FOLDER]`: makes a folder that runs the commands of those who call a gateway with Node 24 and nothing else, `petak.mjs find …`.
 * Beside the program it has the licences of all that is in it. It starts in half the time that the sources take.
 */
import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { thirdPartyLicences } from "./third-party-licences.mjs";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string", default: "dist/petak" } } });
const folder = resolve(values.out);

/** Takes Node's modules as they are. Imported, each also makes what it has of WebSocket, fetch and the like, which takes 20 ms. */
const builtins = {
  name: "builtins",
  /** @param {import("esbuild").PluginBuild} plugin */
  setup(plugin) {
    plugin.onResolve({ filter: /.*/ }, ({ path }) => (isBuiltin(path) ? { path, namespace: "builtin" } : undefined));
    plugin.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** `petak keys issuer` works on a gateway's files, with its code. */
const ofGateway = {
  name: "of-gateway",
  /** @param {import("esbuild").PluginBuild} plugin */
  setup(plugin) {
    plugin.onResolve({ filter: /^@petak\/gateway$/ }, ({ path }) => ({ path, namespace: "of-gateway" }));
    plugin.onLoad({ filter: /.*/, namespace: "of-gateway" }, () => ({
      contents:
        'module.exports = {}; throw new Error("This works on the files of a gateway. Run it on its machine, in the clone of Petak.");',
    }));
  },
};

const library = join(folder, "lib");
await rm(library, { recursive: true, force: true });
await mkdir(library, { recursive: true });
const { metafile } = await build({
  entryPoints: { main: join(root, "packages/cli/src/caller-main.ts") },
  outdir: library,
  outExtension: { ".js": ".mjs" },
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  plugins: [builtins, ofGateway],
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

// Plain JavaScript for any Node, which says what it needs. What is compiled is kept in the user's own folder for such files.
const program = `#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(\`petak needs Node 24 or newer, and this is \${process.version}.\\n\`);
  process.exit(1);
}
const { XDG_CACHE_HOME: folder = "" } = process.env;
enableCompileCache(join(isAbsolute(folder) ? folder : join(homedir(), ".cache"), "petak", "compile"));
await import("./lib/main.mjs");
`;
const file = join(folder, "petak.mjs");
await writeFile(file, program);
await chmod(file, 0o755);
await writeFile(join(folder, "THIRD-PARTY.txt"), await thirdPartyLicences(metafile));
for (const name of ["LICENSE", "NOTICE"]) await copyFile(join(root, name), join(folder, basename(name)));
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`${relative(process.cwd(), folder) || "."}: petak.mjs, ${Math.round(bytes / 1024)} KiB\n`);
