import { createFrozenClock } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { createSpell, remindMs, type Spell } from "./spell.ts";

const clock = createFrozenClock();
let told: string[];
let beganMs: number;
let spell: Spell;

beforeEach(() => {
  told = [];
  beganMs = clock.now();
  spell = createSpell({
    now: clock.now,
    tellAfterMs: 200,
    steadyMs: 1000,
    onBegun: (sinceMs) => told.push(`begun at ${sinceMs - beganMs}`),
    onStill: (sinceMs) => told.push(`still, since ${sinceMs - beganMs}`),
    onOver: (sinceMs, untilMs, isNews) =>
      told.push(`over, ${sinceMs - beganMs} to ${untilMs - beganMs}${isNews ? ", told at its end" : ""}`),
  });
});

/** Fails, or works, every 100 ms for so long. */
function goes(on: "fails" | "works", ms: number): void {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    spell[on]();
    clock.advance(100);
  }
}

it("is told of once when it begins, once a minute while it goes on, and once when it is over", () => {
  goes("fails", 2 * remindMs + 1000);
  goes("works", 1500);
  expect(told).toEqual(["begun at 0", "still, since 0", "still, since 0", "over, 0 to 121000"]);
  expect(spell).toMatchObject({ isOpen: false, isFailing: false });
});

it("is told of at its end alone where it was short", () => {
  goes("fails", 200);
  goes("works", 1500);
  expect(told).toEqual(["over, 0 to 200, told at its end"]);
});

it("is one where it comes and goes", () => {
  for (let round = 0; round < 20; round++) {
    goes("fails", 300);
    goes("works", 900);
  }
  goes("works", 200);
  expect(told).toEqual(["begun at 0", `over, 0 to ${20 * 1200 - 900}`]);
});

it("began when whoever met it says, and what works is no spell", () => {
  spell.works();
  expect(spell.isOpen).toBe(false);
  spell.fails(clock.now() - 2000);
  expect(told).toEqual(["begun at -2000"]);
  spell.works();
  expect(spell).toMatchObject({ isOpen: true, isFailing: false });
});
