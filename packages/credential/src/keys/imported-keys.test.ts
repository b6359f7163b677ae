import { describe, expect, it } from "vitest";
import { createImportedKeys, type ImportedKeys } from "./imported-keys.ts";

/** What keeps `max` keys, and the names of those that it has imported so far. */
function keeping(max: number): { use: (...names: readonly number[]) => Promise<void>; imports: number[] } {
  const imports: number[] = [];
  const keys: ImportedKeys<number> = createImportedKeys(max, async ([name = -1]) => {
    imports.push(name);
    return name;
  });
  const use = async (...names: readonly number[]) => {
    for (const name of names) expect(await keys.imported(new Uint8Array(32).fill(name))).toBe(name);
  };
  return { use, imports };
}

describe("imported public keys", () => {
  it("are imported once, also by concurrent callers", async () => {
    const { use, imports } = keeping(2);
    await Promise.all([use(1), use(1), use(1)]);
    await use(1);
    expect(imports).toEqual([1]);
  });

  it("are evicted one by one, so many new keys do not evict those in use", async () => {
    const { use, imports } = keeping(4);
    const ours = [1, 2, 3];
    await use(...ours);
    for (let theirs = 100; theirs < 200; theirs += 1) await use(theirs, ...ours);
    expect(imports.filter((name) => name < 100)).toEqual(ours);
  });

  it("are evicted in the order of their last use", async () => {
    const { use, imports } = keeping(3);
    await use(1, 2, 3, 1, 4);
    expect(imports).toEqual([1, 2, 3, 4]);
    await use(1, 3, 4);
    expect(imports).toEqual([1, 2, 3, 4]);
    await use(2);
    expect(imports).toEqual([1, 2, 3, 4, 2]);
  });
});
