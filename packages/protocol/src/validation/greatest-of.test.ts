import { describe, expect, it } from "vitest";
import { BatchRequestSchema } from "../gen/petak/v1/batch_pb.ts";
import { ListEventsRequestSchema } from "../gen/petak/v1/custody_pb.ts";
import { greatestOf } from "./greatest-of.ts";

describe("the upper bound of a field", () => {
  it("is read from its constraints", () => {
    expect(greatestOf(BatchRequestSchema, "calls")).toBe(100);
    expect(greatestOf(ListEventsRequestSchema, "pageSize")).toBe(1000);
  });

  it("does not exist for other fields", () => {
    expect(() => greatestOf(BatchRequestSchema, "none")).toThrow(/no field none/);
    expect(() => greatestOf(ListEventsRequestSchema, "cursor")).toThrow(TypeError);
  });
});
