/**
 * Matches the imports of a module, including dynamic imports of a literal name and re-exports. A pattern suffices without parsing, because
 * the formatter gives imports one form.
 */
const importPattern = /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s+)?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;

/** The names of the modules that a source imports, in order. */
export function findImports(source: string): string[] {
  return [...source.matchAll(importPattern)].map(([, fixed, dynamic]) => fixed ?? dynamic ?? "");
}

/**
 * The package of a bare import: `@petak/protocol/grpc` → `@petak/protocol`. Undefined for relative imports, a package's own subpath imports
 * (`#platform/sha256`) and Node's modules.
 */
export function packageOf(name: string): string | undefined {
  if (/^[./#]|^node:/.test(name)) return undefined;
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}
