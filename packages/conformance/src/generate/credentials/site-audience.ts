/** A site in the `aud` of a token, from nothing of packages/credential: what the vectors hold against an implementation must not come from it. */
import { base64url } from "../signing.ts";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The `aud` of a site's tokens: two bytes of its region and ten of store code and number, in base64url. */
export function audienceOf(siteId: string): string {
  const [, region = "", local = ""] = siteId.split("_");
  const number = Array.from(local).reduce((bits, character) => bits * 32n + BigInt(alphabet.indexOf(character)), 0n);
  return base64url(Buffer.from(region.slice(2) + number.toString(16).padStart(20, "0"), "hex"));
}
