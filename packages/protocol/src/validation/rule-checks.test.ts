import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { FieldRulesSchema } from "../gen/buf/validate/validate_pb.ts";
import { compileRules } from "./rule-checks.ts";

function keepsPattern(pattern: string, text: string): boolean | undefined {
  const rules = create(FieldRulesSchema, { type: { case: "string", value: { pattern } } });
  return compileRules(rules, undefined)?.ofValue.every((check) => check(text));
}

it("a string is matched against a pattern only if RE2 and JavaScript interpret it alike", () => {
  expect(keepsPattern("^[A-Z]{2}$", "SG")).toBe(true);
  expect(keepsPattern("^[A-Z]{2}$", "sg")).toBe(false);
});

it.each([
  ["^a{$", "a{"],
  ["^a]$", "a]"],
  ["^\\w$", "a"],
  ["^[[:alpha:]]$", "a"],
  ["^(?i)a$", "A"],
])("the pattern %s, which the two may interpret differently, is inconclusive", (pattern, text) => {
  expect(keepsPattern(pattern, text)).toBe(false);
});
