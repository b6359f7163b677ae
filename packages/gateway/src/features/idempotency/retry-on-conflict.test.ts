import { PetakError } from "@petak/protocol";
import { expect, it } from "vitest";
import { retryOnConflict } from "./retry-on-conflict.ts";

const conflict = () => new PetakError("CONFLICT", "changed too often");

it("repeats attempts until one gives a result, and numbers them from 0", async () => {
  const numbers: number[] = [];
  const attempt = async (number: number) => {
    numbers.push(number);
    return number === 3 ? "written" : undefined;
  };
  expect(await retryOnConflict(attempt, { conflict })).toBe("written");
  expect(numbers).toEqual([0, 1, 2, 3]);
});

it("fails with the conflict after the last attempt", async () => {
  let attempts = 0;
  const attempt = async () => {
    attempts += 1;
    return undefined;
  };
  await expect(retryOnConflict(attempt, { conflict })).rejects.toMatchObject({ reason: "CONFLICT" });
  expect(attempts).toBe(5);
  await expect(retryOnConflict(attempt, { attempts: 2, conflict })).rejects.toMatchObject({ reason: "CONFLICT" });
  expect(attempts).toBe(7);
});

it("does not repeat an attempt that fails", async () => {
  let attempts = 0;
  const attempt = async () => {
    attempts += 1;
    throw new PetakError("ILLEGAL_STATE", "it has ended");
  };
  await expect(retryOnConflict(attempt, { conflict })).rejects.toMatchObject({ reason: "ILLEGAL_STATE" });
  expect(attempts).toBe(1);
});
