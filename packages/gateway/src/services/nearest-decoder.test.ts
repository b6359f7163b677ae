import { create, equals, fromJsonString, type MessageInitShape } from "@bufbuild/protobuf";
import { type FindNearestRequest, FindNearestRequestSchema, type Purpose, SiteKind, validateMessage } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestDecoder } from "./nearest-decoder.ts";
import { near, numberTexts, object, written } from "./testing/odd-json.ts";

/** Texts that are nearly requests: with fields twice, unknown, left out, misspelt, of another type. */
const text = fc
  .record({
    origin: object(["latitude", "longitude"], ["latitude_", "__proto__"]),
    parcel: object(["widthMm", "heightMm", "depthMm", "massG"], ["width_mm", "requirements", "weightG"]),
    rest: object(["limit", "radiusM"], ["origin", "purpose", "kinds", "countPassedOver", "radius_m"]),
    space: fc.constantFrom("", " "),
    isWhole: fc.boolean(),
  })
  .map(({ origin, parcel, rest, space, isWhole }) => {
    const fields: (readonly [string, unknown])[] = [
      [
        "origin",
        written(
          isWhole
            ? [
                ["latitude", 1.3],
                ["longitude", 103.8],
              ]
            : origin,
          space,
        ),
      ],
      ["parcel", written(parcel, space)],
      ...rest,
    ];
    return written(fields, space);
  });

const twice = [SiteKind.COLLECTION_POINT, SiteKind.COLLECTION_POINT];

const nearlyValid = fc.record({
  origin: fc.record({ latitude: near(-90, 90, false), longitude: near(-180, 180, false) }),
  parcel: fc.record({
    widthMm: near(1, 5000, true),
    heightMm: near(1, 5000, true),
    depthMm: near(1, 5000, true),
    massG: near(1, 1_000_000, true),
  }),
  limit: near(0, 50, true),
  radiusM: near(0, 20_100_000, true),
});

function byLibrary(json: string): FindNearestRequest | undefined {
  try {
    return fromJsonString(FindNearestRequestSchema, json, { ignoreUnknownFields: false });
  } catch {
    return undefined;
  }
}

function isValid(request: FindNearestRequest): boolean {
  try {
    validateMessage(FindNearestRequestSchema, request);
    return true;
  } catch {
    return false;
  }
}

/** Checks one text, and says whether the decoder read it by itself. */
function compare(json: string): boolean {
  const decoded = nearestDecoder.json(json);
  if (decoded === undefined) return false;
  const expected = byLibrary(json);
  expect(expected, json).toBeDefined();
  expect(equals(FindNearestRequestSchema, decoded, expected as FindNearestRequest), json).toBe(true);
  return true;
}

describe("the decoder of FindNearest's request", () => {
  it("gives what the library gives, or leaves it to the library", () => {
    let own = 0;
    fc.assert(
      fc.property(text, (json) => {
        if (compare(json)) own += 1;
      }),
      { numRuns: 5000 },
    );
    expect(own).toBeGreaterThan(200);
  });

  it.each(numberTexts)("reads a number written %s as the library does, or leaves it", (number) => {
    for (const [latitude, radiusM, widthMm] of [
      [number, "1", "1"],
      ["1", number, "1"],
      ["1", "1", number],
    ]) {
      compare(`{"origin":{"latitude":${latitude}},"radiusM":${radiusM},"parcel":{"widthMm":${widthMm}}}`);
    }
  });

  it("knows no request as valid that the schema refuses", () => {
    let known = 0;
    fc.assert(
      fc.property(
        nearlyValid,
        fc.constantFrom<MessageInitShape<typeof FindNearestRequestSchema>>({}, {}, {}, { kinds: twice }, { purpose: 9 as Purpose }),
        (facts, more) => {
          const asked = create(FindNearestRequestSchema, { ...facts, ...(more as object) });
          if (!nearestDecoder.isKnownValid(asked)) return;
          known += 1;
          expect(isValid(asked), JSON.stringify(facts)).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
    expect(known).toBeGreaterThan(500);
  });

  it("reads the plainest request by itself", () => {
    const json =
      '{"origin": {"latitude": 1.35, "longitude": 103.8}, "parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}}';
    const request = nearestDecoder.json(json);
    expect(request).toBeDefined();
    expect(nearestDecoder.isKnownValid(request as FindNearestRequest)).toBe(true);
  });
});
