import { expect, test } from "vitest";
import { namedUuid } from "./named-uuid.ts";

test("a name gives the same UUID of version 5 for ever", () => {
  expect(namedUuid("demo", "kancil", "0")).toBe(namedUuid("demo", "kancil", "0"));
  expect(namedUuid("demo", "kancil", "0")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("parts are kept apart", () => {
  expect(new Set([namedUuid("ab", "c"), namedUuid("a", "bc"), namedUuid("abc"), namedUuid("a", "b", "c")]).size).toBe(4);
});
