import { readFileSync } from "node:fs";
import { join } from "node:path";

const luaDir = join(import.meta.dirname, "../lua");
const includeLine = /^--- @include ([a-z-]+)$/gm;

/**
 * Reads a script with its includes put in place, each once.
 *
 * @throws {Error} where a file does not exist or does not begin with the `#!lua` header, without which a server lets a script touch
 * keys of several slots.
 */
export function loadScript(name: string): string {
  const source = readFileSync(join(luaDir, `${name}.lua`), "utf8");
  if (!source.startsWith("#!lua")) throw new Error(`${name}.lua does not begin with #!lua`);
  return source.replace(includeLine, (_line, include: string) => readFileSync(join(luaDir, "includes", `${include}.lua`), "utf8"));
}
