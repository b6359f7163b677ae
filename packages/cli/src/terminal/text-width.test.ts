import { expect, test } from "vitest";
import { pad, textWidth, truncate } from "./text-width.ts";

test.each([
  ["", 0],
  ["Singapore", 9],
  ["Café", 4],
  ["Cafe\u0301", 4],
  ["กรุงเทพ", 6],
  ["东京", 4],
  ["📦", 2],
  ["\u001b[31mred\u001b[39m", 3],
])("%j takes %i columns", (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test("a text that is too long is cut with an ellipsis, between whole characters", () => {
  expect(truncate("Bukit Timah", 11)).toBe("Bukit Timah");
  expect(truncate("Bukit Timah", 8)).toBe("Bukit T…");
  expect(truncate("东京东京", 6)).toBe("东京…");
  expect(textWidth(truncate("东京东京", 6))).toBeLessThanOrEqual(6);
});

test("padding follows text and precedes numbers", () => {
  expect(pad("ab", 4)).toBe("ab  ");
  expect(pad("12", 4, "right")).toBe("  12");
  expect(pad("东京", 6)).toBe("东京  ");
  expect(pad("long", 2)).toBe("long");
});
