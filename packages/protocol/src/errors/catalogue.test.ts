import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ErrorReasonSchema } from "../gen/petak/v1/error_reason_pb.ts";
import { type CatalogueEntry, catalogue } from "./catalogue.ts";
import { codeName } from "./code-name.ts";
import { errorsPage } from "./errors-page.ts";

const entries: [string, CatalogueEntry][] = Object.entries(catalogue);
const prefix = "ERROR_REASON_";

/** The code of each reason: the first word of the comment above its enum value. */
function codesInComments(): Record<string, string> {
  const proto = readFileSync(new URL("../../../../proto/petak/v1/error_reason.proto", import.meta.url), "utf8");
  const codes: Record<string, string> = {};
  for (const [, comment = "", name = ""] of proto.matchAll(/((?: {2}\/\/.*\n)+) {2}ERROR_REASON_([A-Z_]+) = \d+;/g)) {
    if (name !== "UNSPECIFIED") codes[name] = /^ {2}\/\/ ([A-Z_]+)[. ]/.exec(comment)?.[1] ?? "";
  }
  return codes;
}

describe("the catalogue", () => {
  it("has the reasons of petak.v1.ErrorReason with their numbers, in their order", () => {
    const inProto = ErrorReasonSchema.values.filter(({ number }) => number !== 0).map(({ name, number }) => [name, number]);
    expect(entries.map(([reason, { number }]) => [`${prefix}${reason}`, number])).toEqual(inProto);
  });

  it("has the codes that the enum's comments name", () => {
    expect(Object.fromEntries(entries.map(([reason, { code }]) => [reason, codeName(code)]))).toEqual(codesInComments());
  });

  it("states what happened and what to do", () => {
    for (const [reason, { meaning, remedy }] of entries) {
      expect([reason, meaning, remedy]).toEqual([reason, expect.stringMatching(/^[A-Z].*\.$/s), expect.stringMatching(/^[A-Z].*\.$/s)]);
      // Both are cells of a table.
      expect(`${meaning}${remedy}`).not.toMatch(/[|\n]/);
    }
  });
});

it("docs/errors.md is up to date", () => {
  expect(readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8")).toBe(errorsPage());
});
