import { expect, test } from "vitest";
import { openingTerms } from "./opening-terms.ts";

const wanted = { notBeforeS: 1000, expiresAtS: 1004 };
const hashOf = (notBeforeS: number) => `hash of ${notBeforeS}`;
const issue = async ({ notBeforeS }: typeof wanted) => ({ credentialHash: hashOf(notBeforeS) });

test("terms are unchanged if no equal credential was revoked", async () => {
  expect(await openingTerms(wanted, [], issue)).toBe(wanted);
  expect(await openingTerms(wanted, [hashOf(999), hashOf(1001)], issue)).toBe(wanted);
});

test("a credential begins in the first second in which it differs from all revoked ones", async () => {
  expect(await openingTerms(wanted, [hashOf(1001), hashOf(1000)], issue)).toEqual({ notBeforeS: 1002, expiresAtS: 1004 });
});

test("a credential always begins before it ends", async () => {
  expect(await openingTerms(wanted, [1000, 1001, 1002, 1003, 1004].map(hashOf), issue)).toEqual({ notBeforeS: 1003, expiresAtS: 1004 });
});
