import { expect, test } from "vitest";
import { countryCodeOf } from "./country-code.ts";

test.each([
  ["SG", "SG"],
  [" my ", "MY"],
  ["Singapore", "SG"],
  ["malaysia", "MY"],
  ["Germany", "DE"],
  ["Vietnam", "VN"],
  ["Timor-Leste", "TL"],
  ["GB", "GB"],
])("%j is the country %s", (text, code) => {
  expect(countryCodeOf(text)).toBe(code);
});

test.each(["", "XX", "ZZ", "EU", "UN", "SU", "DD", "Atlantis", "SGP", "world"])("%j is no country", (text) => {
  expect(countryCodeOf(text)).toBeUndefined();
});
