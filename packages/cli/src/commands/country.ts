import { InvalidArgumentError } from "commander";
import { countryCodeOf } from "../import-sites/country-code.ts";

/** Parses a country: its code, or its English name. */
export function parseCountry(text: string): string {
  const code = countryCodeOf(text);
  if (code === undefined) throw new InvalidArgumentError("write a two-letter country code, e.g. SG.");
  return code;
}
