import { join } from "node:path/posix";
import { findCircles, groupImports, type ImportGraph } from "./circles.ts";

/**
 * Checks the imports within one package: circles of modules, circles of folders, and imports against the order of its folders.
 *
 * @param graph its modules, as paths below its `src`, and what each imports of the others, types included
 * @param order its folders and the modules directly in `src`, lowest first; a folder may be listed apart from the one that contains it. Undefined if any
 * order without circles is right
 */
export function findFolderProblems(graph: ImportGraph, order: readonly string[] | undefined): string[] {
  const circles = findCircles(graph).map((circle) => `modules import each other in a circle: ${circle.join(", ")}`);
  if (order === undefined) {
    const folders = findCircles(groupImports(graph, topFolder));
    return [...circles, ...folders.map((circle) => `folders import each other in a circle: ${circle.join(", ")}`)];
  }
  const folderOf = (module: string) => listedFolder(module, order) ?? topFolder(module);
  const placeOf = (module: string) => order.indexOf(folderOf(module));
  const present = new Set([...graph.keys()].map(folderOf));
  return [
    ...circles,
    ...[...present].filter((folder) => !order.includes(folder)).map((folder) => `${folder} is not in scripts/checks/folder-table.ts`),
    ...order
      .filter((folder) => !present.has(folder))
      .map((folder) => `${folder} is in scripts/checks/folder-table.ts, but not in the package`),
    ...[...graph].flatMap(([module, imports]) =>
      [...imports]
        .filter((imported) => placeOf(module) >= 0 && placeOf(imported) > placeOf(module))
        .map((imported) => `${module} imports ${imported}, which lies above it (see scripts/checks/folder-table.ts)`),
    ),
  ];
}

/** The folder directly in `src` in which a module lies, or the module itself if it lies there. */
function topFolder(module: string): string {
  return module.split("/")[0] as string;
}

/** The innermost listed folder in which a module lies, or the module itself if it is listed. */
function listedFolder(module: string, order: readonly string[]): string | undefined {
  return order
    .filter((folder) => module === folder || module.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)
    .at(0);
}

/** What a module imports of its own package, as paths below `src`. */
export function ownImports(module: string, names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(".")).map((name) => join(module, "..", name));
}
