import { testSeed } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Axis, parseAngle, parsePosition } from "./angle.ts";

const seed = testSeed();

function degreesOf(text: string, axis: Axis): number {
  const result = parseAngle(text, axis);
  if (!result.ok) throw new Error(result.message);
  return result.degrees;
}

test.each<[string, Axis, number]>([
  ["1.3521", "latitude", 1.3521],
  [" 1.3521 ", "latitude", 1.3521],
  ["1,3521", "latitude", 1.3521],
  ["+1.5", "latitude", 1.5],
  ["-6.2", "latitude", -6.2],
  ["−6.2", "latitude", -6.2],
  [".5", "latitude", 0.5],
  ["1°21'07.4\"N", "latitude", 1 + 21 / 60 + 7.4 / 3600],
  ["1º 21′ 7,4″ S", "latitude", -(1 + 21 / 60 + 7.4 / 3600)],
  ["1°21'7''N", "latitude", 1 + 21 / 60 + 7 / 3600],
  ["1 21 7.4 N", "latitude", 1 + 21 / 60 + 7.4 / 3600],
  ["1:21:07.4", "latitude", 1 + 21 / 60 + 7.4 / 3600],
  ["-0 30 0", "latitude", -0.5],
  ["N 1° 21.123'", "latitude", 1 + 21.123 / 60],
  ["S33 51 54", "latitude", -33.865],
  ["33d51m54sS", "latitude", -33.865],
  ["103d49m12sE", "longitude", 103.82],
  ["103d49m12s", "longitude", 103.82],
  ["1 deg 21 min 7 sec N", "latitude", 1 + 21 / 60 + 7 / 3600],
  ["W103.5", "longitude", -103.5],
  ["7 S", "latitude", -7],
  ["90", "latitude", 90],
  ["-180", "longitude", -180],
])("%j is read as a %s", (text, axis, degrees) => {
  expect(degreesOf(text, axis)).toBeCloseTo(degrees, 10);
});

test.each<[string, Axis, string, RegExp]>([
  ["", "latitude", "empty", /empty/],
  ["abc", "latitude", "unreadable", /"abc" is no angle/],
  ["NaN", "longitude", "unreadable", /no angle/],
  ["1e5", "latitude", "unreadable", /no angle/],
  ["1,234.5", "latitude", "unreadable", /no angle/],
  ["1 21 7 9", "latitude", "unreadable", /no angle/],
  ["12' 5\"", "latitude", "unreadable", /no angle/],
  ["N1.5S", "latitude", "unreadable", /no angle/],
  ["-1.2S", "latitude", "unreadable", /a sign and a hemisphere/],
  ["1 61 0", "latitude", "unreadable", /61 minutes/],
  ["1 21 60", "latitude", "unreadable", /60 seconds/],
  ["1.5 30", "latitude", "unreadable", /a fraction before/],
  ["90.0000001", "latitude", "out-of-range", /outside -90 to 90/],
  ["-180.5", "longitude", "out-of-range", /outside -180 to 180/],
  ["103.5E", "latitude", "swapped", /swapped/],
  ["1.3 N", "longitude", "swapped", /swapped/],
])("%j is refused as a %s: %s", (text, axis, problem, message) => {
  expect(parseAngle(text, axis)).toMatchObject({ ok: false, problem, message: expect.stringMatching(message) });
});

describe("every notation of an angle gives the same angle", () => {
  const parts = fc.record({
    axis: fc.constantFrom<Axis>("latitude", "longitude"),
    degrees: fc.integer({ min: 0, max: 89 }),
    minutes: fc.integer({ min: 0, max: 59 }),
    thousandths: fc.integer({ min: 0, max: 59_999 }),
    isNegative: fc.boolean(),
  });

  test("degrees, minutes and seconds in all usual marks", () => {
    fc.assert(
      fc.property(parts, ({ axis, degrees, minutes, thousandths, isNegative }) => {
        const seconds = (thousandths / 1000).toFixed(3);
        const value = (degrees + minutes / 60 + thousandths / 3_600_000) * (isNegative ? -1 : 1);
        const sign = isNegative ? "-" : "";
        const letter = (axis === "latitude" ? "NS" : "EW").charAt(isNegative ? 1 : 0);
        const notations = [
          `${degrees}°${minutes}'${seconds}"${letter}`,
          `${degrees}° ${minutes}′ ${seconds}″ ${letter}`,
          `${degrees} ${minutes} ${seconds} ${letter}`,
          `${degrees} ${minutes} ${seconds.replace(".", ",")} ${letter.toLowerCase()}`,
          `${degrees}d${minutes}m${seconds}s ${letter}`,
          `${letter}${degrees} ${minutes} ${seconds}`,
          `${letter} ${degrees}° ${minutes}' ${seconds}"`,
          `${sign}${degrees}:${minutes}:${seconds}`,
          `${sign}${degrees}°${minutes}'${seconds}"`,
        ];
        for (const notation of notations) expect(degreesOf(notation, axis), notation).toBeCloseTo(value, 9);
      }),
      { seed },
    );
  });

  test("decimal degrees with a point or a comma, with a sign or a letter", () => {
    fc.assert(
      fc.property(fc.integer({ min: -90_000_000, max: 90_000_000 }), (millionths) => {
        const text = (millionths / 1e6).toFixed(6);
        const value = Number(text);
        const magnitude = text.replace("-", "");
        const letter = millionths < 0 ? "S" : "N";
        for (const notation of [
          text,
          text.replace(".", ","),
          `${magnitude}${letter}`,
          `${magnitude}° ${letter}`,
          `${letter} ${magnitude}`,
        ]) {
          expect(degreesOf(notation, "latitude"), notation).toBe(value + 0);
        }
      }),
      { seed },
    );
  });

  test("no text makes it throw, and results are in range", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), fc.constantFrom<Axis>("latitude", "longitude"), (text, axis) => {
        const result = parseAngle(text, axis);
        if (result.ok) expect(Math.abs(result.degrees)).toBeLessThanOrEqual(axis === "latitude" ? 90 : 180);
        else expect(result.message).not.toBe("");
      }),
      { seed, numRuns: 2000 },
    );
  });
});

test.each([
  ["1.3521,103.8198", 1.3521, 103.8198],
  ["1.3521 103.8198", 1.3521, 103.8198],
  ["1,3521,103,8198", 1.3521, 103.8198],
  ["1,3521;103,8198", 1.3521, 103.8198],
  ["-6.2,106.8", -6.2, 106.8],
  ["−6.2, 106.8", -6.2, 106.8],
  ["1°21'N 103°49'12\"E", 1.35, 103.82],
  ["1 21 0 103 49 12", 1.35, 103.82],
  ["N1.35 E103.82", 1.35, 103.82],
  ["S 6.2, E 106.8", -6.2, 106.8],
])("the position %j is read, latitude first", (text, latitude, longitude) => {
  const position = parsePosition(text);
  expect(position.latitude.ok && position.latitude.degrees).toBeCloseTo(latitude, 9);
  expect(position.longitude.ok && position.longitude.degrees).toBeCloseTo(longitude, 9);
});

test("half a position is refused", () => {
  expect(parsePosition("1.3521").longitude).toMatchObject({ ok: false, problem: "empty" });
});
