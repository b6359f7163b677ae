import { base32Class, decodeBase32, encodeBase32 } from "./base32.ts";

/** Random characters of an enrolment code: 75 bits. One more is the check character. */
export const enrolmentSecretLength = 15;

const codePattern = new RegExp(`^${base32Class}{${enrolmentSecretLength + 1}}$`);

/** Writes an enrolment code as people type it: its random characters and a check character, in capitals, in groups of four. */
export function formatEnrolmentCode(secret: string): string {
  const check = encodeBase32(double(remainder(secret)));
  return (secret + check).toUpperCase().replace(/(.{4})(?=.)/g, "$1-");
}

/**
 * Reads an enrolment code as somebody typed it: in any case, with or without hyphens and spaces, with O for 0 and I or L for 1. Returns its 16 characters in
 * lower case. Undefined if it is none, among others if one character is wrong or two have changed places.
 */
export function readEnrolmentCode(text: string): string | undefined {
  const code = text.toLowerCase().replace(/[\s-]/g, "").replaceAll("o", "0").replace(/[il]/g, "1");
  return codePattern.test(code) && remainder(code) === 0 ? code : undefined;
}

/**
 * The characters as coefficients of a polynomial over GF(32), at 2, a primitive element. A wrong character changes it, and so do two that change places, since
 * no two places of a code have the same weight.
 */
function remainder(text: string): number {
  return Array.from(text).reduce((sum, character) => double(sum) ^ decodeBase32(character), 0);
}

/** Multiplies by 2 in GF(32), modulo x⁵ + x² + 1. */
function double(value: number): number {
  return (value << 1) ^ (value >= 16 ? 0b100101 : 0);
}
