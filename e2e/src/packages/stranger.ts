import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createTempDir, processEnv } from "@petak/testkit";
import { type BuildOptions, build } from "esbuild";
import { readCodeBlocks } from "../examples/code-blocks.ts";
import { repositoryDir } from "../examples/courier-examples.ts";

const run = promisify(execFile);

/** Somebody else's project, with the packages installed and nothing else of this repository. */
export interface Stranger extends AsyncDisposable {
  readonly dir: string;
  /** The names of the packages. */
  readonly packages: readonly string[];
  /** The READMEs' examples, by file name. */
  readonly examples: ReadonlyMap<string, string>;
  /** The README's first block in a language. */
  shown(packageName: string, language: string): Promise<string>;
  /** Runs a file by Node as it is. @returns what it has printed */
  run(file: string, env?: Readonly<Record<string, string>>): Promise<string>;
  /** Checks files by the compiler, declarations of packages too. Throws an error with its output. */
  checkTypes(files: readonly string[], options: object): Promise<void>;
  /** Bundles a file for browsers. @returns the scripts by name */
  bundle(file: string, options?: BuildOptions): Promise<ReadonlyMap<string, string>>;
}

/** Thrown where the dependencies of the packages cannot be had. */
export class RegistryUnreachable extends Error {}

/** Packs the packages, installs them into an empty folder by npm with an empty cache, and writes the READMEs' examples there. Throws {@link RegistryUnreachable}. */
export async function createStranger(): Promise<Stranger> {
  const temp = await createTempDir();
  const [dir, tarballs] = [join(temp.path, "project"), join(temp.path, "tarballs")];
  await run(process.execPath, [join(repositoryDir, "scripts/packages/main.ts"), "--out", tarballs], { cwd: repositoryDir });
  await mkdir(dir);
  await writeFile(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const files = (await readdir(tarballs)).map((name) => join(tarballs, name));
  await install(dir, ["--cache", join(temp.path, "cache"), ...files]);
  const readme = (packageName: string) => join(dir, "node_modules", packageName, "README.md");
  const examples = new Map<string, string>();
  const packages = (await readdir(join(dir, "node_modules/@petak"))).map((name) => `@petak/${name}`);
  for (const name of packages) {
    for (const { language, code } of await readCodeBlocks(readme(name))) {
      const [, file] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
      if (language === "ts" && file !== undefined) examples.set(file, code);
    }
  }
  for (const [file, code] of examples) await writeFile(join(dir, file), code);

  return {
    dir,
    packages,
    examples,
    async shown(packageName, wanted) {
      const block = (await readCodeBlocks(readme(packageName))).find(({ language }) => language === wanted);
      if (block === undefined) throw new Error(`The README of ${packageName} shows no ${wanted}.`);
      return block.code;
    },
    run: async (file, env = {}) => (await run(process.execPath, [file], { cwd: dir, env: processEnv({ ...env }) })).stdout,
    async checkTypes(files, options) {
      const project = join(dir, `tsconfig-${files.join("-")}.json`);
      const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, target: "es2023", module: "nodenext", ...options };
      await writeFile(project, JSON.stringify({ compilerOptions, files }));
      const tsc = join(repositoryDir, "node_modules/.bin/tsc");
      await run(tsc, ["--pretty", "false", "--project", project], { cwd: dir }).catch((error: { stdout?: string }) => {
        throw new Error(error.stdout, { cause: error });
      });
    },
    async bundle(file, options = {}) {
      const { outputFiles } = await build({
        entryPoints: [join(dir, file)],
        outdir: "out",
        bundle: true,
        write: false,
        format: "esm",
        platform: "browser",
        logLevel: "silent",
        ...options,
      });
      return new Map((outputFiles ?? []).map(({ path, text }) => [path.replace(/^.*\//, ""), text]));
    },
    [Symbol.asyncDispose]: () => temp.remove(),
  };
}

/** How npm says that there is no way to the registry. */
const unreachable = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b/;

async function install(dir: string, args: readonly string[]): Promise<void> {
  try {
    // npm's own delays add up to minutes where there is no network.
    const patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=2000"];
    await run("npm", ["install", "--no-audit", "--no-fund", ...patience, ...args], { cwd: dir, env: ownEnv() });
  } catch (error) {
    const [, code] = unreachable.exec((error as Error).message) ?? [];
    if (code === undefined) throw error;
    throw new RegistryUnreachable(
      `npm cannot reach its registry (${code}): the packages are tested where their dependencies can be installed`,
    );
  }
}

/** The environment without what npm gave to the process that runs these tests: a path of this repository among it. */
function ownEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local|config_prefix)/i.test(name)),
  );
}
