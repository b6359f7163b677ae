import { reasonOf } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import { testSeed } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, type FeedCursor } from "./feed-cursor.ts";

const feed: FeedName = { participantId: "par_0000000000000001", mode: "test" };
const number = fc.nat({ max: 2 ** 48 - 2 });
const range = fc.record({ toNumber: number, fromMs: number, toMs: number }, { requiredKeys: [] });
const check = fc.nat({ max: 0xffff_ffff }).map((value) => value.toString(16).padStart(8, "0"));
const checksum = fc.record({ check, count: fc.integer({ min: 1, max: 16 }), newestMs: number });
const cursors: fc.Arbitrary<FeedCursor> = fc.oneof(fc.record({ number }), fc.record({ number, checksum }), fc.record({ number, range }));

function reasonFor(text: string, of = feed) {
  try {
    decodeCursor(of, text);
  } catch (error) {
    return reasonOf(error);
  }
}

describe("a cursor", () => {
  it("is decoded as it was encoded, and is short", () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        const text = encodeCursor(feed, cursor);
        expect(decodeCursor(feed, text)).toEqual(cursor);
        expect(text.length).toBeLessThanOrEqual(40);
      }),
      { seed: testSeed() },
    );
  });

  it("is refused for another participant and in the other network", () => {
    const text = encodeCursor(feed, { number: 7 });
    expect(reasonFor(text, { ...feed, participantId: "par_0000000000000002" })).toBe("CURSOR_INVALID");
    expect(reasonFor(text, { ...feed, mode: "live" })).toBe("CURSOR_INVALID");
  });

  it("has a single encoding: anything else is CURSOR_INVALID", () => {
    const good = Buffer.from(encodeCursor(feed, { number: 7 }), "base64url");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from([...good.subarray(0, 6), ...bytes]).toString("base64url");
        if (reasonFor(text) === undefined) expect(encodeCursor(feed, decodeCursor(feed, text))).toBe(text);
      }),
      { seed: testSeed() },
    );
    const bad = {
      empty: [],
      "of another version": [2, ...good.subarray(1)],
      "cut short": good.subarray(0, -1),
      "longer by a byte": [...good, 0],
    };
    for (const [name, bytes] of Object.entries(bad)) {
      expect([name, reasonFor(Buffer.from(bytes).toString("base64url"))]).toEqual([name, "CURSOR_INVALID"]);
    }
    expect(reasonFor(`${good.toString("base64url")}=`)).toBe("CURSOR_INVALID");
    expect(reasonFor("not a cursor")).toBe("CURSOR_INVALID");
  });
});
