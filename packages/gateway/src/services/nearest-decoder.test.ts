import { equals, fromJsonString } from "@bufbuild/protobuf";
import { type FindNearestRequest, FindNearestRequestSchema } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestDecoder } from "./nearest-decoder.ts";
import { numberTexts, object, written } from "./testing/odd-json.ts";

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

function byLibrary(json: string): FindNearestRequest | undefined {
  try {
    return fromJsonString(FindNearestRequestSchema, json, { ignoreUnknownFields: false });
  } catch {
    return undefined;
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

  it("reads the plainest request by itself", () => {
    const json =
      '{"origin": {"latitude": 1.35, "longitude": 103.8}, "parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}}';
    expect(nearestDecoder.json(json)).toBeDefined();
  });
});
