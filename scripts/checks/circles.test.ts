import { expect, test } from "vitest";
import { findCircles, groupImports, type ImportGraph } from "./circles.ts";

function graph(...imports: readonly (readonly [string, ...string[]])[]): ImportGraph {
  return new Map(imports.map(([module, ...imported]) => [module, new Set(imported)]));
}

test("imports one way are no circle, even if two of them meet", () => {
  expect(findCircles(graph(["a", "b", "c"], ["b", "d"], ["c", "d"], ["d"]))).toEqual([]);
});

test("two circles that share no module are two, with all of their modules", () => {
  expect(findCircles(graph(["a", "b"], ["b", "c"], ["c", "a", "x"], ["x", "y"], ["y", "x"]))).toEqual([
    ["a", "b", "c"],
    ["x", "y"],
  ]);
});

test("circles that share a module are one", () => {
  expect(findCircles(graph(["a", "b"], ["b", "a", "c"], ["c", "b"]))).toEqual([["a", "b", "c"]]);
});

test("folders can form a circle that their modules do not", () => {
  const modules = graph(["one/a", "two/b"], ["two/b"], ["two/c", "one/d"], ["one/d"]);
  expect(findCircles(modules)).toEqual([]);
  expect(findCircles(groupImports(modules, (module) => module.split("/")[0] as string))).toEqual([["one", "two"]]);
});
