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
});
