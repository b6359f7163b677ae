import { SiteKind } from "@petak/protocol";
import { expect, test } from "vitest";
import { defaultMix, parseCompartments } from "./compartments.ts";

test("classes are read with measures, counts and masses", () => {
  const { sizeClasses, isMadeUp, description } = parseCompartments("S:400x120x500:20, M:400×250×500:12:15000g");
  expect(sizeClasses).toEqual([
    { sizeClassId: "S", widthMm: 400, heightMm: 120, depthMm: 500, installed: 20, maxMassG: 20_000 },
    { sizeClassId: "M", widthMm: 400, heightMm: 250, depthMm: 500, installed: 12, maxMassG: 15_000 },
  ]);
  expect(isMadeUp).toBe(false);
  expect(description).toBe("20 S of 400x120x500 mm, 12 M of 400x250x500 mm");
});

test("a default mix is marked as made up", () => {
  expect(parseCompartments("large")).toMatchObject({ isMadeUp: true, description: expect.stringContaining("made up") });
  expect(defaultMix(SiteKind.PARCEL_TERMINAL).compartments.length).toBeGreaterThan(0);
  expect(defaultMix(SiteKind.COLLECTION_POINT)).toMatchObject({ isMadeUp: true, compartments: [] });
});

test.each([
  ["huge", /cannot read "huge".*small, medium, large, shelf, stockroom/],
  ["S:400x120:20", /cannot read/],
  ["S:0x120x500:20", /class S: width_mm/],
  ["S:400x120x500:0", /class S: installed/],
  ["S:1x1x1:1,S:2x2x2:1", /names a class twice/],
  ["", /cannot read ""/],
  [Array.from({ length: 9 }, (_, index) => `C${index}:1x1x1:1`).join(","), /9 classes; a site has at most 8/],
])("%j is refused", (text, message) => {
  expect(() => parseCompartments(text)).toThrow(message);
});
