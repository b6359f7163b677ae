import { expect, test } from "vitest";
import { roundDown, roundUp, speakLengths } from "./lengths.ts";

test("lengths are round ones", () => {
  expect([7, 49, 50, 640, 3e7].map(roundDown)).toEqual([20, 20, 50, 500, 5e6]);
  expect([7, 51, 640, 3e7].map(roundUp)).toEqual([20, 100, 1000, 5e6]);
});

test("a length is said in the page's language, in metres below a kilometre", () => {
  expect([500, 2000].map((metres) => speakLengths("en")(metres).text)).toEqual(["500 m", "2 km"]);
  expect([500, 2000].map((metres) => speakLengths("th")(metres).text)).toEqual(["500 ม.", "2 กม."]);
});
