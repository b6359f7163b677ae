import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createSlots } from "./slots.ts";

const never = new AbortController().signal;

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let hasSettled = false;
  void promise.then(() => {
    hasSettled = true;
  });
  await turn();
  return hasSettled;
}

it("slow endpoints wait for each other, and prompt ones do not wait for them", async () => {
  const slots = createSlots(4);
  const slot = await slots.take("slow", never);
  await slots.take("slow", never);
  const third = slots.take("slow", never);
  const fourth = slots.take("slow", never);
  expect(await isSettled(third)).toBe(false);
  await slots.take("prompt", never);
  await slots.take("prompt", never);
  slot.release();
  slot.release();
  expect([await isSettled(third), await isSettled(fourth)]).toEqual([true, false]);
});

it("an aborted request takes no slot", async () => {
  const slots = createSlots(2);
  const slot = await slots.take("prompt", never);
  const giveUp = new AbortController();
  const given = slots.take("prompt", giveUp.signal);
  giveUp.abort(new Error("enough"));
  await expect(given).rejects.toThrow("enough");
  await expect(slots.take("prompt", giveUp.signal)).rejects.toThrow("enough");
  slot.release();
  await slots.take("prompt", never);
});

it("an attempt that turns out to be slow frees a prompt slot while a slow one is free", async () => {
  const slots = createSlots(2);
  const first = await slots.take("prompt", never);
  const second = slots.take("prompt", never);
  first.slowDown();
  expect(await isSettled(second)).toBe(true);
  // All slow slots are taken now.
  const third = slots.take("prompt", never);
  (await second).slowDown();
  expect(await isSettled(third)).toBe(false);
  first.release();
  (await second).slowDown();
  expect(await isSettled(third)).toBe(true);
});
