import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createTempDir } from "@petak/testkit";
import { beforeAll } from "vitest";

/** The root of the repository. */
export const root = join(import.meta.dirname, "../../..");

/** Makes a bundle before the tests of a file, in a folder without node_modules above it: the program has nothing but its own files. @param script its name in `scripts` */
export function useBundle(script: string): { readonly folder: string } {
  let folder = "";
  beforeAll(async () => {
    const directory = await createTempDir();
    folder = directory.path;
    await promisify(execFile)(process.execPath, [join(root, "scripts", script), "--out", folder]);
    return () => directory.remove();
  });
  return {
    get folder() {
      return folder;
    },
  };
}
