import { expect, test } from "vitest";
import { createInView, sameScanMs } from "./in-view.ts";

test("a code is one scan while it is in view, also where a picture takes longer to read than a code may be away", () => {
  const inView = createInView();
  expect([0, 3 * sameScanMs, 9 * sameScanMs].map((atMs) => inView.look(["A"], atMs))).toEqual([["A"], [], []]);
});

test("a code that was away for a moment is the same scan, and for longer a new one", () => {
  const inView = createInView();
  inView.look(["A"], 0);
  inView.look([], 100);
  expect(inView.look(["A"], sameScanMs)).toEqual([]);
  inView.look([], sameScanMs + 100);
  expect(inView.look(["A"], 2 * sameScanMs + 100)).toEqual(["A"]);
});

test("two codes of one label in view are two scans, and not one after the other for ever", () => {
  const inView = createInView();
  expect(inView.look(["A", "B"], 0)).toEqual(["A", "B"]);
  expect(inView.look(["B", "A"], 100)).toEqual([]);
});

test("a camera that stops and another that starts are one, and an hour later the same code is a new scan", () => {
  const inView = createInView();
  inView.look(["A"], 0);
  inView.stop(100);
  expect(inView.look(["A"], 200)).toEqual([]);
  inView.stop(300);
  expect(inView.look(["A"], 3_600_000)).toEqual(["A"]);
});
