import { readFileSync } from "node:fs";
import { join } from "node:path";

const includeLine = /^--- @include ([a-z-]+)$/gm;

/**
 * Reads a script and replaces each include line by the included file.
 *
 * @param luaDir Folder of the scripts; included files are in its subfolder `includes`. @throws {Error} If a file does not exist, or the
 * script does not begin with the `#!lua` header, without which a server lets a script touch keys of several slots.
 */
export function loadScript(luaDir: string, name: string): string {
  const source = readFileSync(join(luaDir, `${name}.lua`), "utf8");
  if (!source.startsWith("#!lua")) throw new Error(`${name}.lua does not begin with #!lua`);
  return source.replace(includeLine, (_line, include: string) => readFileSync(join(luaDir, "includes", `${include}.lua`), "utf8"));
}
