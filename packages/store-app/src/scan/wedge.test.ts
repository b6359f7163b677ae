import { expect, test } from "vitest";
import { createWedge } from "./wedge.ts";

/** Types a text with a pause between the keys. Returns the code that was found. */
function type(wedge: ReturnType<typeof createWedge>, text: readonly string[], pauseMs: number, fromMs = 0) {
  return text.map((key, index) => wedge({ key, atMs: fromMs + index * pauseMs }));
}

test("a fast burst that ends with Enter is a code, wherever the focus is", () => {
  const answers = type(createWedge(), [..."JX4817724K2", "Enter"], 8);
  expect(answers.at(-1)).toEqual({ code: "JX4817724K2", isScanner: true });
  expect(answers.filter(({ isScanner }) => isScanner)).toHaveLength(9);
});

test("capital letters come with Shift, and codes may end with Tab", () => {
  const answers = type(createWedge(), ["Shift", "J", "Shift", "X", "4", "8", "Tab"], 8);
  expect(answers.at(-1)?.code).toBe("JX48");
});

test("a person who types is no scanner, and Enter is theirs", () => {
  expect(type(createWedge(), [..."482913", "Enter"], 120).every(({ isScanner, code }) => !isScanner && code === undefined)).toBe(true);
});

test("what was typed slowly before a burst is not part of the code", () => {
  const wedge = createWedge();
  type(wedge, [..."abc"], 120);
  expect(type(wedge, [..."PT200", "Enter"], 8, 1000).at(-1)?.code).toBe("PT200");
});

test("fewer than four characters are somebody's fingers, and arrows and deletions end a burst", () => {
  expect(type(createWedge(), ["1", "2", "3", "Enter"], 8).at(-1)?.code).toBeUndefined();
  expect(type(createWedge(), ["1", "2", "3", "4", "Backspace", "Enter"], 8).at(-1)?.code).toBeUndefined();
});
