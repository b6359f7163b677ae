import { create, equals, fromJsonString, type MessageInitShape } from "@bufbuild/protobuf";
import { type FindNearestRequest, FindNearestRequestSchema, type Purpose, SiteKind, validateMessage } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestDecoder } from "./nearest-decoder.ts";

const number = fc.oneof(
  fc.integer({ min: 1, max: 4000 }),
  fc.constantFrom(
    0,
    -0,
    -1,
    1.5,
    50,
    51,
    90,
    -90,
    90.000001,
    180,
    180.1,
    5000,
    5001,
    1_000_000,
    1_000_001,
    20_100_000,
    20_100_001,
    2 ** 32,
  ),
  fc.double(),
);
const odd = fc.constantFrom("12", null, true, [], {}, "NaN", "1e3", "a:b");
const value = fc.oneof({ weight: 8, arbitrary: number }, { weight: 1, arbitrary: odd });
const object = (names: readonly string[], others: readonly string[]) =>
  fc.array(
    fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.constantFrom(...others) }), value),
    {
      maxLength: 5,
    },
  );
const written = (fields: (readonly [string, unknown])[], space: string) =>
  `{${fields.map(([name, content]) => `${JSON.stringify(name)}${space}:${typeof content === "string" && content.startsWith("{") ? content : JSON.stringify(content)}`).join(",")}}`;

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

/** A value in range, mostly, or one at its edges or beyond. */
function near(min: number, max: number, isWhole: boolean) {
  const edges = [min, max, min - 1, max + 1, 0].filter((edge) => !isWhole || edge >= 0);
  const beyond = isWhole ? [] : [Number.NaN, Number.POSITIVE_INFINITY, min - 1e-9, max + 1e-9];
  const inside = isWhole ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });
  return fc.oneof({ weight: 12, arbitrary: inside }, { weight: 1, arbitrary: fc.constantFrom(...edges, ...beyond) });
}

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

describe("the decoder of FindNearest's request", () => {
  it("gives what the library gives, or leaves it to the library", () => {
    let own = 0;
    fc.assert(
      fc.property(text, (json) => {
        const decoded = nearestDecoder.json(json);
        if (decoded === undefined) return;
        own += 1;
        const expected = byLibrary(json);
        expect(expected, json).toBeDefined();
        expect(equals(FindNearestRequestSchema, decoded, expected as FindNearestRequest), json).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(own).toBeGreaterThan(200);
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
