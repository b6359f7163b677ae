import { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ListEventsRequestSchema,
  RedirectRequestSchema,
  ReserveRequestSchema,
  SetDefaultTermsRequestSchema,
  UpsertSitesRequestSchema,
} from "../index.ts";
import { illFormedTimes } from "./well-formed-times.ts";

const seconds = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-62_135_596_801n, -62_135_596_800n, 253_402_300_799n, 253_402_300_800n),
  fc.constantFrom(-315_576_000_001n, -315_576_000_000n, 315_576_000_000n, 315_576_000_001n),
);
const nanos = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer(), fc.constantFrom(-1e9, -999_999_999, 999_999_999, 1e9));

describe("times in messages", () => {
  it.each([DurationSchema, TimestampSchema])("are accepted exactly if JSON can represent them: $typeName", (schema) => {
    fc.assert(
      fc.property(seconds, nanos, (wholeSeconds, part) => {
        const time = create(schema, { seconds: wholeSeconds, nanos: part });
        let again: unknown;
        try {
          again = fromJson(schema, toJson(schema, time));
        } catch {
          again = undefined;
        }
        const isSame = again !== undefined && JSON.stringify(toBinary(schema, again as never)) === JSON.stringify(toBinary(schema, time));
        expect(illFormedTimes(schema, time)).toHaveLength(isSame ? 0 : 1);
      }),
      { numRuns: 2000 },
    );
  });

  it("are checked at any depth and reported with path, value and limit", () => {
    const wrong = { seconds: 1n, nanos: -1 };
    const terms = create(UpsertSitesRequestSchema, { sites: [{}, { terms: { freeStorage: wrong, longestStorage: { seconds: 5n } } }] });
    expect(illFormedTimes(UpsertSitesRequestSchema, terms)).toEqual([
      {
        field: "sites[1].terms.free_storage",
        description: "must have seconds from -315576000000 to 315576000000 and nanos of the same sign up to 999999999, not 1 and -1",
        rule: "duration.well_formed",
      },
    ]);
    const defaults = create(SetDefaultTermsRequestSchema, { terms: { noShowAfter: { seconds: -1n, nanos: 1 } } });
    expect(illFormedTimes(SetDefaultTermsRequestSchema, defaults).map(({ field }) => field)).toEqual(["terms.no_show_after"]);
    const reserve = create(ReserveRequestSchema, {
      place: { case: "nearest", value: { origin: {} } },
      requirements: { openWithin: { from: { nanos: -1 }, to: { nanos: 1_000_000_000 } } },
      overflowPolicy: { wait: wrong },
    });
    expect(
      illFormedTimes(ReserveRequestSchema, reserve)
        .map(({ field }) => field)
        .sort(),
    ).toEqual(["overflow_policy.wait", "requirements.open_within.from", "requirements.open_within.to"]);
    // A oneof that is not set has no value to check.
    expect(illFormedTimes(RedirectRequestSchema, create(RedirectRequestSchema, {}))).toEqual([]);
    const events = create(ListEventsRequestSchema, { wait: { seconds: 1n, nanos: 5 } });
    expect(illFormedTimes(ListEventsRequestSchema, fromBinary(ListEventsRequestSchema, toBinary(ListEventsRequestSchema, events)))).toEqual(
      [],
    );
  });
});
