import { reasonOf } from "@petak/protocol";
import { createRandom, testSeed } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, isBefore } from "./event-cursor.ts";

const region = fc.integer({ min: 0x800000, max: 0x8fffff }).map((number) => number.toString(16));
const entry = fc.tuple(fc.nat({ max: 2 ** 48 - 1 }), fc.nat({ max: Number.MAX_SAFE_INTEGER })).map(([ms, number]) => `${ms}-${number}`);
const cursors = fc.array(fc.tuple(region, entry)).map((places) => new Map(places));

function reasonFor(text: string) {
  try {
    decodeCursor(text);
  } catch (error) {
    return reasonOf(error);
  }
}

describe("a cursor", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
      }),
      { seed: testSeed() },
    );
  });

  it("has one spelling only: anything else is CURSOR_INVALID", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from([2, ...bytes]).toString("base64url");
        if (reasonFor(text) === undefined) expect(encodeCursor(decodeCursor(text))).toBe(text);
      }),
      { seed: testSeed() },
    );
    const place = [0x83, 0x65, 0x2b, 0, 0, 0, 0, 0, 9, 1];
    const good = Buffer.from([2, ...place]);
    const bad = {
      empty: [],
      "of another version": [1, ...place],
      "cut short": good.subarray(0, -1),
      "of no region": [2, 0x73, ...place.slice(1)],
      "with a region twice": [2, ...place, ...place],
      "out of order": [2, ...place, 0x83, 0x65, 0x2a, ...place.slice(3)],
      "with a longer number than need be": [2, ...place.slice(0, -1), 0x81, 0],
      "with a number without end": [2, ...place.slice(0, -1), ...Array(12).fill(0x81)],
    };
    expect(decodeCursor(good.toString("base64url"))).toEqual(new Map([["83652b", "9-1"]]));
    for (const [name, bytes] of Object.entries(bad)) {
      expect([name, reasonFor(Buffer.from(bytes).toString("base64url"))]).toEqual([name, "CURSOR_INVALID"]);
    }
    expect(reasonFor(`${good.toString("base64url")}=`)).toBe("CURSOR_INVALID");
    expect(reasonFor("not a cursor")).toBe("CURSOR_INVALID");
  });

  it("of 2,000 regions is well below what requests may carry", () => {
    const random = createRandom(testSeed());
    const places = Array.from({ length: 2000 }, (_, index): [string, string] => {
      return [(0x830000 + index * 17).toString(16), `${1_795_534_815_128 + random.int(0, 1e9)}-${random.int(0, 127)}`];
    });
    expect(encodeCursor(new Map(places)).length).toBeLessThanOrEqual(32_768);
  });

  it("orders the entries of a region by time, then by number", () => {
    expect([isBefore("9-5", "10-0"), isBefore("10-9", "10-10"), isBefore("10-1", "10-1"), isBefore("11-0", "10-5")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
