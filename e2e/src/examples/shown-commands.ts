import { execFile } from "node:child_process";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { processEnv } from "@petak/testkit";
import { repositoryDir } from "./courier-examples.ts";
import { courierModules, findPython } from "./find-python.ts";

/** A command's exit code and output. */
export interface ShownResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs commands of the documentation as a reader would. */
export interface Reader {
  /** False if the system lacks the modules of the Python example. */
  readonly hasPython: boolean;
  /** Runs a code block. */
  run(code: string): Promise<ShownResult>;
}

/** The address in the documentation, at which `npm start` listens. */
const shownUrl = "http://127.0.0.1:8420";

/** Does what `npx` does with a program that is installed. npm's own takes two thirds of the time of a command; the first one is run by it. */
const npxOfHere = `program=$1; shift; exec "node_modules/.bin/$program" "$@"`;

/** Makes a folder look like a clone of the repository. */
export async function makeClone(folder: string): Promise<void> {
  const names = (await readdir(repositoryDir)).filter((name) => !name.startsWith("."));
  for (const name of names) await symlink(join(repositoryDir, name), join(folder, name));
}

/**
 * Makes a reader who works in a clone of the repository. In commands, the given address replaces the documented one, and a
 * placeholder such as `res_…` or `petak-…` is replaced by the last id with that prefix that a command has printed.
 */
export async function createReader(folder: string, url: string, known: readonly string[]): Promise<Reader> {
  const python = await findPython(courierModules);
  const bin = join(folder, "bin");
  await mkdir(bin);
  const writeProgram = (name: string, script: string) => writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  if (python !== undefined) await writeProgram("python3", `exec ${python} -B "$@"`);
  const { PATH = "", HOME = "" } = process.env;
  const env = processEnv({ PATH: `${bin}${delimiter}${PATH}`, HOME, PETAK_URL: url, NO_COLOR: "1" });
  const printed = [...known];
  let hasRunNpx = false;

  function fill(code: string): string {
    return code.replaceAll(shownUrl, url).replace(/\b([a-z_]+[_-])…/g, (placeholder, prefix: string) => {
      // Not in a path: the folder's own name begins like the audience.
      const ids = printed.join("\n").match(new RegExp(`(?<![\\w/-])${prefix}[0-9a-z_]+\\b`, "g"));
      return ids?.at(-1) ?? placeholder;
    });
  }

  return {
    hasPython: python !== undefined,
    async run(code) {
      const result = await new Promise<ShownResult>((resolve) => {
        execFile("sh", ["-e", "-c", fill(code)], { cwd: folder, env }, (error, stdout, stderr) => {
          resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
        });
      });
      printed.push(result.stdout);
      if (!hasRunNpx && code.includes("npx ")) {
        hasRunNpx = true;
        await writeProgram("npx", npxOfHere);
      }
      return result;
    },
  };
}
