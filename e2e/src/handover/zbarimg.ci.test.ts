import { qrSquares } from "@petak/store-app/testing/code-film";
import { drawSquares, graymapOf } from "@petak/store-app/testing/code-picture";
import { createRandom, testSeed } from "@petak/testkit";
import { beforeEach, expect, test } from "vitest";
import { readByZbarimg, zbarimgObstacle } from "../testing/zbarimg.ts";

beforeEach(({ skip }) => skip(zbarimgObstacle !== undefined, zbarimgObstacle));

/** What a code of the exchange is made of. */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

test("zbarimg reads every code that the app draws, up to the longest of the exchange", async () => {
  const random = createRandom(testSeed());
  for (const length of [6, 40, 300, 545, 800]) {
    const text = Array.from({ length }, () => random.pick([...alphabet])).join("");
    expect(await readByZbarimg(graymapOf(drawSquares(qrSquares(text))))).toBe(text);
  }
});
