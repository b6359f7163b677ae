import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { FindNearestResponseSchema, SiteKind, SiteOptionSchema, SiteSummarySchema } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { optionsEncoder } from "./options-encoder.ts";

const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom("", '"\\\u2028', "Café Ümlaut 停车场"));
const site = fc
  .record({
    siteId: text,
    operatorId: text,
    kind: fc.constantFrom(SiteKind.PARCEL_TERMINAL, SiteKind.COLLECTION_POINT, SiteKind.UNSPECIFIED, 99 as SiteKind),
    name: text,
    alwaysOpen: fc.boolean(),
    revision: fc.nat(),
  })
  .map((facts) => create(SiteSummarySchema, facts));
const seconds = fc.bigInt({ min: 0n, max: 250_000_000_000n });
const nanos = fc.constantFrom(0, 1, 5_000_000, 120_000_000, 999_000_000, 123_456_789);
const option = fc
  .record({
    site: fc.option(site, { nil: undefined }),
    distanceM: fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e21, 5e-324, 12.5, Number.NaN, Number.NEGATIVE_INFINITY)),
    sizeClassId: text,
    freeToPromise: fc.integer({ min: 0, max: 0xffffffff }),
    observedAt: fc.option(
      fc.record({ seconds, nanos }).map((time) => create(TimestampSchema, time)),
      { nil: undefined },
    ),
    ttl: fc.option(
      fc.record({ seconds, nanos }).map((time) => create(DurationSchema, time)),
      { nil: undefined },
    ),
  })
  .map((facts) => create(SiteOptionSchema, facts));

const copied = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes);

describe("the encoder of FindNearest responses", () => {
  it("writes the same bytes as the library", () => {
    let own = 0;
    fc.assert(
      fc.property(fc.array(option, { maxLength: 6 }), fc.boolean(), (options, isRepeated) => {
        // The same objects in several places, as in responses that share the summary of a site.
        const answer = create(FindNearestResponseSchema, { options: isRepeated ? [...options, ...options] : options });
        // The output buffer is reused, so each result is copied before the next.
        const json = copied(optionsEncoder.json(answer));
        const binary = copied(optionsEncoder.binary(answer));
        if (json !== undefined) {
          own += 1;
          expect(json.toString()).toBe(toJsonString(FindNearestResponseSchema, answer));
        }
        expect(binary).toEqual(Buffer.from(toBinary(FindNearestResponseSchema, answer)));
      }),
      { numRuns: 2000 },
    );
    expect(own).toBeGreaterThan(500);
  });

  it("leaves messages with unknown fields to the library", () => {
    const $unknown = [{ no: 1999, wireType: WireType.Varint, data: Uint8Array.of(1) }];
    const strange = create(FindNearestResponseSchema, { options: [{ ...create(SiteOptionSchema, { sizeClassId: "M" }), $unknown }] });
    for (const answer of [strange, { ...create(FindNearestResponseSchema, { options: [{ sizeClassId: "M" }] }), $unknown }]) {
      expect(optionsEncoder.binary(answer)).toBeUndefined();
      expect(optionsEncoder.json(answer)).toBeUndefined();
    }
  });
});
