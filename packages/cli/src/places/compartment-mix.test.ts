import { create } from "@bufbuild/protobuf";
import { CompartmentSchema, SizeClassSchema, validateMessage } from "@petak/protocol";
import { expect, test } from "vitest";
import { mixNames, namedMix } from "./compartment-mix.ts";

test.each(mixNames)("the mix %s keeps the protocol's rules", (name) => {
  const { sizeClasses, compartments } = namedMix(name);
  for (const sizeClass of sizeClasses) validateMessage(SizeClassSchema, create(SizeClassSchema, sizeClass));
  for (const compartment of compartments) validateMessage(CompartmentSchema, create(CompartmentSchema, compartment));
  expect(new Set(compartments.map(({ compartmentId }) => compartmentId)).size).toBe(compartments.length);
  if (compartments.length === 0) return;
  for (const { sizeClassId, installed } of sizeClasses) {
    expect(compartments.filter((one) => one.sizeClassId === sizeClassId)).toHaveLength(installed ?? 0);
  }
});

test("doors of a bank stand above one another, below two metres", () => {
  const column = namedMix("medium").compartments.filter(({ compartmentId }) => compartmentId?.startsWith("A"));
  const heights = column.map(({ centreHeightMm }) => centreHeightMm ?? 0);
  expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  expect(heights.at(-1)).toBeLessThan(2000);
});
