import { describe, expect, it } from "vitest";
import { createCallerShares } from "./caller-shares.ts";

describe("shares", () => {
  it("limit each caller and the total", () => {
    const shares = createCallerShares({ perCaller: 2, total: 3 });
    const first = shares.take("par_a");
    expect([shares.take("par_a"), shares.take("par_a")]).toEqual([expect.any(Function), undefined]);
    expect([shares.take("par_b"), shares.take("par_c")]).toEqual([expect.any(Function), undefined]);
    first?.();
    first?.();
    expect([shares.take("par_c"), shares.take("par_a")]).toEqual([expect.any(Function), undefined]);
  });

  it("leave a part for the next caller, however much each may have", () => {
    const shares = createCallerShares({ perCaller: 100, total: 8 });
    const taken = ["par_a", "par_b", "par_c"].map((caller) => {
      let count = 0;
      while (shares.take(caller) !== undefined) count += 1;
      return count;
    });
    expect(taken).toEqual([4, 2, 1]);
    expect(shares.take("par_d")).toBeDefined();
  });
});
