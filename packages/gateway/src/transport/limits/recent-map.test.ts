import { expect, it } from "vitest";
import { RecentMap } from "./recent-map.ts";

it("forgets what was not used for longest", () => {
  const map = new RecentMap<number>(2);
  map.put("a", 1);
  map.put("b", 2);
  expect(map.find("a")).toBe(1);
  // Asking whether it is there is no use.
  expect(map.has("b")).toBe(true);
  map.put("c", 3);
  expect(["a", "b", "c"].map((name) => map.find(name))).toEqual([1, undefined, 3]);
  map.delete("a");
  map.put("d", 4);
  expect([...map.values()]).toEqual([3, 4]);
});

it("keeps what must not be forgotten, in more entries than allowed if it must", () => {
  const kept = new Set([1, 2]);
  const map = new RecentMap<number>(2, (value) => kept.has(value));
  for (const value of [1, 2, 3]) map.put(`${value}`, value);
  expect([...map.values()]).toEqual([1, 2]);
  kept.add(4);
  map.put("4", 4);
  expect(map.size).toBe(3);
  kept.delete(1);
  map.put("5", 5);
  expect([map.has("1"), map.has("2"), map.has("4")]).toEqual([false, true, true]);
});
