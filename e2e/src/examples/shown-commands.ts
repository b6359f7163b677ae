import { execFile } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { processEnv } from "@petak/testkit";
import { repositoryDir } from "./courier-examples.ts";
import { courierModules, findPython } from "./find-python.ts";

/** What a command printed. */
export interface ShownResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs commands of the documentation as a reader would. */
export interface Reader {
  /** False where the system lacks what the Python example needs. */
  readonly hasPython: boolean;
  /** Runs what stands in a block. */
  run(code: string): Promise<ShownResult>;
}

/** The address in the documentation: where `npm start` listens. */
const shownUrl = "http://127.0.0.1:8420";

/**
 * Makes a reader who works in a folder as in a clone of the repository. The address of the documentation stands for the one given, and a
 * placeholder such as `res_…` for the last id with that prefix that a command has printed.
 */
export async function createReader(folder: string, url: string, known: readonly string[]): Promise<Reader> {
  for (const name of ["node_modules", "examples"]) await symlink(join(repositoryDir, name), join(folder, name));
  const python = await findPython(courierModules);
  const bin = join(folder, "bin");
  await mkdir(bin);
  if (python !== undefined) {
    await writeFile(join(bin, "python3"), `#!/bin/sh\nexec ${python} -B "$@"\n`);
    await chmod(join(bin, "python3"), 0o755);
  }
  const { PATH = "", HOME = "" } = process.env;
  const env = processEnv({ PATH: `${bin}${delimiter}${PATH}`, HOME, PETAK_URL: url, NO_COLOR: "1" });
  const printed = [...known];

  function fill(code: string): string {
    return code.replaceAll(shownUrl, url).replace(/\b([a-z_]+_)…/g, (placeholder, prefix: string) => {
      const ids = printed.join("\n").match(new RegExp(`\\b${prefix}[0-9a-z_]+`, "g"));
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
      return result;
    },
  };
}
