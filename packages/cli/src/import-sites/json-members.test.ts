import { testSeed } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonMember, readJsonMembers } from "./json-members.ts";

async function readAll(text: string, size = 1): Promise<JsonMember[]> {
  async function* pieces(): AsyncGenerator<string> {
    for (let from = 0; from < text.length; from += size) yield text.slice(from, from + size);
  }
  return Array.fromAsync(readJsonMembers(pieces(), ["features"], "list.json"));
}

test("members and the elements of the list come with their lines", async () => {
  const text = '{"type": "x",\n "a": {"b": [1, {"c": "}]\\""}]},\n "features": [\n{"d": 1},\n[2, 3], "e,]", 4 ],\n"z": null}\n';
  expect(await readAll(text)).toEqual([
    { kind: "member", name: "type", line: 1, value: "x" },
    { kind: "member", name: "a", line: 2, value: { b: [1, { c: '}]"' }] } },
    { kind: "member", name: "features", line: 3, value: undefined },
    { kind: "element", list: "features", line: 4, value: { d: 1 } },
    { kind: "element", list: "features", line: 5, value: [2, 3] },
    { kind: "element", list: "features", line: 5, value: "e,]" },
    { kind: "element", list: "features", line: 5, value: 4 },
    { kind: "member", name: "z", line: 6, value: null },
  ]);
});

test("any document reads as JSON.parse reads it, wherever the pieces end", async () => {
  const document = fc.record({ a: fc.jsonValue(), features: fc.array(fc.jsonValue(), { maxLength: 5 }), 'q"\\': fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(document, fc.integer({ min: 1, max: 40 }), fc.constantFrom(undefined, 2), async (value, size, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const expected = JSON.parse(text) as typeof value;
      const members = await readAll(text, size);
      const elements = members.filter(({ kind }) => kind === "element").map(({ value: element }) => element);
      expect(elements).toEqual(expected.features);
      for (const member of members) {
        if (member.kind === "member" && member.name !== "features") expect(member.value).toEqual(expected[member.name as "a"]);
      }
    }),
    { seed: testSeed(), numRuns: 300 },
  );
});

describe("broken JSON is refused with its line", () => {
  test.each([
    ["a list at the top", "[1]", /line 1: is broken JSON: "\[" is not expected/],
    ["a comma before the end of the list", '{"features": [1,\n]}', /line 2: the JSON value that begins here is broken/],
    ["a comma before the end of the object", '{"a": 1,\n}', /line 2: is broken JSON: "}" is not expected/],
    ["no comma between elements", '{"features": [{"a": 1}\n{"b": 2}]}', /line 1: the JSON value that begins here is broken/],
    ["no value", '{"a":\n,"b": 2}', /line 2: the JSON value that begins here is broken/],
    ["a cut in the list", '{"features": [{"a": 1},\n{"b": 2}', /line 2: ends in the middle/],
    ["a cut in a text", '{"a": "b', /line 1: ends in the middle/],
    ["text after the end", '{"a": 1}\nx', /line 2: is broken JSON: "x" is not expected/],
    ["brackets that do not match", '{"features": [{"a": 1]}]}', /line 1: the JSON value that begins here is broken/],
    ["no JSON", "hello", /line 1: is broken JSON: "h" is not expected/],
  ])("%s", async (_, text, message) => {
    await expect(readAll(text)).rejects.toThrow(message);
  });
});
