/** Encodes a site in the `aud` of a token, independently of packages/credential: the vectors must not depend on the implementation that they test. */
import { base64url } from "../signing.ts";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The `aud` of a site's tokens: two bytes of its region and ten of store code and number, in base64url. */
export function audienceOf(siteId: string): string {
  const [, region = "", local = ""] = siteId.split("_");
  const number = Array.from(local).reduce((bits, character) => bits * 32n + BigInt(alphabet.indexOf(character)), 0n);
  return base64url(Buffer.from(region.slice(2) + number.toString(16).padStart(20, "0"), "hex"));
}
