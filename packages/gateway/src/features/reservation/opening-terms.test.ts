import { expect, test } from "vitest";
import { openingTerms } from "./opening-terms.ts";

const wanted = { notBeforeS: 1000, expiresAtS: 1004 };
const hashOf = (notBeforeS: number) => `hash of ${notBeforeS}`;
const issue = async ({ notBeforeS }: typeof wanted) => ({ credentialHash: hashOf(notBeforeS) });

test("terms are as wanted where no credential of the same was revoked", async () => {
  expect(await openingTerms(wanted, [], issue)).toBe(wanted);
  expect(await openingTerms(wanted, [hashOf(999), hashOf(1001)], issue)).toBe(wanted);
});

test("a credential begins in the first second in which it is none that was revoked", async () => {
  expect(await openingTerms(wanted, [hashOf(1001), hashOf(1000)], issue)).toEqual({ notBeforeS: 1002, expiresAtS: 1004 });
});

test("it begins before it ends, revoked or not", async () => {
  expect(await openingTerms(wanted, [1000, 1001, 1002, 1003, 1004].map(hashOf), issue)).toEqual({ notBeforeS: 1003, expiresAtS: 1004 });
});
