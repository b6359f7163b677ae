import { equals, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { Purpose, type ReserveRequest, ReserveRequestSchema } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reserveDecoder } from "./reserve-decoder.ts";
import { numberTexts, object, written } from "./testing/odd-json.ts";

const requestIds = [
  "3f1b2c4d-5e6f-4a0b-8c9d-0123456789ab",
  "3F1B2C4D-5E6F-4A0B-8C9D-0123456789AB",
  "3f1b2c4d-5e6f-4a0b-8c9d-0123456789ab\n",
  "3f1b2c4d5e6f4a0b8c9d0123456789ab",
  "",
];
const references = [
  "",
  "order-1",
  "Café 停车场",
  "ref:1",
  "\ud800",
  "\u0000",
  "x".repeat(64),
  "x".repeat(65),
  "停".repeat(64),
  "😀".repeat(40),
];
const durations = [
  "900s",
  "1s",
  "0s",
  "86400s",
  "86401s",
  "-1s",
  "007s",
  "0.5s",
  "900.000s",
  "900sec",
  "900",
  900,
  null,
  "1e3s",
  " 9s",
  "٣s",
];
const purposes = ["PURPOSE_DELIVERY", "PURPOSE_RETURN", "PURPOSE_UNSPECIFIED", "DELIVERY", "purpose_delivery", 1, 9, null, "1"];
const anyCountries = [true, false, "true", 1, null];

type Field = readonly [string, unknown];

/** A field with one of some values, the first more often than the rest. */
const field = (name: string, [usual, ...others]: readonly unknown[]): fc.Arbitrary<Field[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Field[]>([]) },
    { weight: 6, arbitrary: fc.constant<Field[]>([[name, usual]]) },
    { weight: 3, arbitrary: fc.constantFrom(...others).map((value): Field[] => [[name, value]]) },
  );

const place = { origin: ["latitude", "longitude"], parcel: ["widthMm", "heightMm", "depthMm", "massG"] };
const wholePlace = fc.constant<Field[]>([
  ["latitude", 1.3],
  ["longitude", 103.8],
]);
const wholeParcel = fc.constant<Field[]>(place.parcel.map((name) => [name, 100]));
const rarely = <Value>(usual: fc.Arbitrary<Value>, odd: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** Texts that are nearly requests: with fields twice, unknown, left out, misspelt, of another type. */
const text = fc
  .record({
    origin: rarely(wholePlace, object(place.origin, ["latitude_", "__proto__"])),
    parcel: rarely(wholeParcel, object(place.parcel, ["width_mm", "requirements", "weightG"])),
    place: rarely(fc.constant<Field[]>([]), object(["radiusM"], ["kinds", "origin", "radius_m", "operatorIds"])),
    requirements: rarely(field("anyCountry", anyCountries), object(["anyCountry", "stepFree"], ["countryCodes", "any_country"])),
    rest: fc.tuple(
      field("requestId", requestIds),
      field("partnerReference", references),
      field("holdDuration", durations),
      field("purpose", purposes),
    ),
    more: rarely(
      fc.constant<Field[]>([]),
      object(["siteId", "requestId", "includeUnknown"], ["request_id", "holdKind", "nearest", "note"]),
    ),
    hasRequirements: fc.boolean(),
    space: fc.constantFrom("", " ", "\n"),
    // With escapes the same text is written in other characters.
    escaped: fc.constantFrom("", "a", ":", "-"),
  })
  .map(({ origin, parcel, place: around, requirements, rest, more, hasRequirements, space, escaped }) => {
    const nearest: Field[] = [["origin", written(origin, space)], ...around];
    const fields: Field[] = [
      ["nearest", written(nearest, space)],
      ["parcel", written(parcel, space)],
      ...rest.flat(),
      ...(hasRequirements ? [["requirements", written(requirements, space)] as const] : []),
      ...more,
    ];
    const json = written(fields, space);
    return escaped === "" || escaped === ":"
      ? json
      : json.replaceAll(new RegExp(`(?<=Reference"\\s*:"[^"]*)${escaped}`, "g"), `\\u00${escaped.charCodeAt(0).toString(16)}`);
  });

function byLibrary(json: string): ReserveRequest | undefined {
  try {
    return fromJsonString(ReserveRequestSchema, json, { ignoreUnknownFields: false });
  } catch {
    return undefined;
  }
}

/** Checks one text, and says whether the decoder read it by itself. */
function compare(json: string): boolean {
  const decoded = reserveDecoder.json(json);
  if (decoded === undefined) return false;
  const expected = byLibrary(json);
  expect(expected, json).toBeDefined();
  expect(equals(ReserveRequestSchema, decoded, expected as ReserveRequest), json).toBe(true);
  // Fingerprints are made of these.
  expect(toBinary(ReserveRequestSchema, decoded), json).toEqual(toBinary(ReserveRequestSchema, expected as ReserveRequest));
  return true;
}

describe("the decoder of Reserve's request", () => {
  it("gives what the library gives, or leaves it to the library", () => {
    let own = 0;
    fc.assert(
      fc.property(text, (json) => {
        if (compare(json)) own += 1;
      }),
      { numRuns: 10_000 },
    );
    expect(own).toBeGreaterThan(500);
  });

  it.each(numberTexts)("reads a number written %s as the library does, or leaves it", (number) => {
    for (const [latitude, radiusM, widthMm] of [
      [number, "1", "1"],
      ["1", number, "1"],
      ["1", "1", number],
    ]) {
      compare(`{"nearest":{"origin":{"latitude":${latitude}},"radiusM":${radiusM}},"parcel":{"widthMm":${widthMm}}}`);
    }
  });

  it("reads the plain requests by itself", () => {
    const plain =
      '{"requestId": "3f1b2c4d-5e6f-4a0b-8c9d-0123456789ab", "nearest": {"origin": {"latitude": 1.35, "longitude": 103.8}, "radiusM": 2000}, ' +
      '"parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}';
    const all = `${plain}, "purpose": "PURPOSE_RETURN", "partnerReference": "order 停 1", "holdDuration": "900s", "requirements": {"anyCountry": true}}`;
    for (const json of [`${plain}}`, all]) expect(compare(json)).toBe(true);
    expect(reserveDecoder.json(all)?.purpose).toBe(Purpose.RETURN);
  });

  it("leaves a key that comes twice to the library, which refuses it", () => {
    const twice = '{"nearest":{"origin":{}},"parcel":{"widthMm":1,"widthMm":2},"partnerReference":"a\\u003ab"}';
    expect(reserveDecoder.json(twice)).toBeUndefined();
    expect(byLibrary(twice)).toBeUndefined();
  });
});
