import { describe, expect, test } from "vitest";
import { comparisonsOf, type Present } from "./comparisons.ts";
import { environmentWith, specialPaths, standInsVariable, switchedOffVariable } from "./special-paths.ts";

const names = specialPaths.map(({ name }) => name);

function standInsWith(present: readonly string[]): [string, string][] {
  return Object.entries(JSON.parse(environmentWith(new Set(present))[standInsVariable] ?? "") as Record<string, string>);
}

describe("a special path", () => {
  test("is taken away by stand-ins that export what the modules they stand for export to others", async () => {
    for (const [module, standIn] of standInsWith([])) {
      const own = Object.keys((await import(module)) as object);
      expect(own).toEqual(expect.arrayContaining(Object.keys((await import(standIn)) as object)));
    }
  });

  test("needs only paths that are there", () => {
    for (const { needs } of specialPaths) expect(names).toEqual(expect.arrayContaining([...needs]));
  });
});

test("a gateway with all paths has no stand-ins and nothing switched off", () => {
  expect(environmentWith(new Set(names))).toEqual({ [standInsVariable]: "{}", [switchedOffVariable]: "" });
});

test("each path is compared alone and beside all others, each time by gateways that differ in it alone, or in what cannot be without it", () => {
  const paths = [
    { name: "a", needs: [] },
    { name: "b", needs: ["a"] },
    { name: "c", needs: [] },
  ];
  const keyOf = (present: Present) => [...present].toSorted().join("+");
  const compared = comparisonsOf(paths).map(({ path, beside, without, with: withPath }) => [path, beside, keyOf(without), keyOf(withPath)]);
  expect(compared).toEqual([
    ["a", "nothing", "", "a"],
    ["a", "everything", "c", "a+b+c"],
    ["b", "nothing", "a", "a+b"],
    ["b", "everything", "a+c", "a+b+c"],
    ["c", "nothing", "", "c"],
    ["c", "everything", "a+b", "a+b+c"],
  ]);
});
