import { describe, expect, it } from "vitest";
import type { ImportGraph } from "./circles.ts";
import { findFolderProblems, ownImports } from "./folders.ts";

function graph(imports: Record<string, readonly string[]>): ImportGraph {
  return new Map(Object.entries(imports).map(([module, imported]) => [module, new Set(imported)]));
}

describe("the folders of a package", () => {
  const modules = graph({ "index.ts": ["high/a.ts"], "high/a.ts": ["low/b.ts", "high/c.ts"], "high/c.ts": [], "low/b.ts": [] });

  it("are right in the order of the table", () => {
    expect(findFolderProblems(modules, ["low", "high", "index.ts"])).toEqual([]);
    expect(findFolderProblems(modules, undefined)).toEqual([]);
  });

  it("may not import what lies above them", () => {
    expect(findFolderProblems(modules, ["high", "low", "index.ts"])).toEqual([
      "high/a.ts imports low/b.ts, which lies above it (see scripts/checks/folder-table.ts)",
    ]);
  });

  it("are all in the table, and no others", () => {
    expect(findFolderProblems(modules, ["low", "index.ts", "other"])).toEqual([
      "high is not in scripts/checks/folder-table.ts",
      "other is in scripts/checks/folder-table.ts, but not in the package",
    ]);
  });

  it("can be listed apart from the folder that contains them", () => {
    const nested = graph({ "a/a.ts": ["b/b.ts"], "a/low/c.ts": [], "b/b.ts": ["a/low/c.ts"] });
    expect(findFolderProblems(nested, ["a/low", "b", "a"])).toEqual([]);
    expect(findFolderProblems(nested, ["a/low", "a", "b"])).toEqual([
      "a/a.ts imports b/b.ts, which lies above it (see scripts/checks/folder-table.ts)",
    ]);
  });

  it("form no circle, nor do their modules", () => {
    const circular = graph({ "one/a.ts": ["two/b.ts"], "two/b.ts": ["one/a.ts"] });
    expect(findFolderProblems(circular, undefined)).toEqual([
      "modules import each other in a circle: one/a.ts, two/b.ts",
      "folders import each other in a circle: one, two",
    ]);
  });
});

it("imports of the own package are found from where they stand", () => {
  expect(ownImports("high/deep/a.ts", ["./b.ts", "../c.ts", "../../low/d.ts", "@petak/protocol"])).toEqual([
    "high/deep/b.ts",
    "high/c.ts",
    "low/d.ts",
  ]);
});
