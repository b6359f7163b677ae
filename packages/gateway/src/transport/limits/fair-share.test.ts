import fc from "fast-check";
import { expect, test } from "vitest";
import { mayTake } from "./fair-share.ts";

/** Lets each caller take all that it may, in turn, and returns what each has. */
function filled(callers: number, limits: { total: number; guaranteed: number; max: number }): number[] {
  const own = Array.from({ length: callers }, () => 0);
  let all = 0;
  for (let index = 0; index < callers; index += 1) {
    while (mayTake({ own: own[index] ?? 0, elsewhere: 0, all }, limits)) {
      own[index] = (own[index] ?? 0) + 1;
      all += 1;
    }
  }
  return own;
}

test("one caller alone gets half, and the next ones find a part free", () => {
  expect(filled(4, { total: 512, guaranteed: 1, max: 512 })).toEqual([256, 128, 64, 32]);
  expect(filled(1, { total: 512, guaranteed: 1, max: 100 })).toEqual([100]);
});

test("whatever others took, the next caller is admitted until there are as many callers as places", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 600 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 8 }),
      (total, callers, guaranteed) => {
        const own = filled(callers, { total, guaranteed, max: total });
        const all = own.reduce((sum, one) => sum + one, 0);
        expect(all).toBeLessThanOrEqual(total);
        const admitted = own.filter((one) => one > 0).length;
        // Nine hogs halve what is left nine times.
        if (total >= 2 ** callers * guaranteed) expect(admitted).toBe(callers);
      },
    ),
  );
});

test("what a caller has elsewhere counts towards its most, but not towards its guaranteed part", () => {
  const limits = { total: 100, guaranteed: 2, max: 10 };
  expect(mayTake({ own: 1, elsewhere: 50, all: 1 }, limits)).toBe(true);
  expect(mayTake({ own: 2, elsewhere: 50, all: 2 }, limits)).toBe(false);
  expect(mayTake({ own: 2, elsewhere: 7, all: 2 }, limits)).toBe(true);
  expect(mayTake({ own: 3, elsewhere: 7, all: 3 }, limits)).toBe(false);
});
