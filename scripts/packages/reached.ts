import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findImports, packageOf } from "../checks/imports.ts";

/** What compiled files lead to. */
export interface Reached {
  /** The paths of the files and of all that they import. */
  files: Set<string>;
  /** The names of the packages that any of them imports. */
  packages: Set<string>;
}

/** Follows the relative imports of compiled scripts and declarations. @param entries existing files */
export async function follow(entries: readonly string[]): Promise<Reached> {
  const reached: Reached = { files: new Set(), packages: new Set() };
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.files.has(path)) continue;
    reached.files.add(path);
    for (const name of findImports(await readFile(path, "utf8"))) {
      const imported = packageOf(name);
      if (imported !== undefined) reached.packages.add(imported);
      // The compiler leaves the extensions of sources in declarations, where they mean those of declarations.
      else if (name.startsWith(".")) waiting.push(join(dirname(path), name.replace(/\.ts$/, ".d.ts")));
    }
  }
  return reached;
}
