/**
 * What a module imports, dynamic imports of a fixed name and re-exports included. Found by their shape and not by parsing: sources here are
 * formatted, so an import has one shape.
 */
const importPattern = /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s+)?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;

/** The names of the modules that a source imports, in the order in which they stand. */
export function findImports(source: string): string[] {
  return [...source.matchAll(importPattern)].map(([, fixed, dynamic]) => fixed ?? dynamic ?? "");
}

/**
 * The package that a bare name belongs to: `@petak/protocol/grpc` → `@petak/protocol`. Undefined for relative names, a package's own subpath imports
 * (`#platform/sha256`) and Node's own modules.
 */
export function packageOf(name: string): string | undefined {
  if (/^[./#]|^node:/.test(name)) return undefined;
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}
