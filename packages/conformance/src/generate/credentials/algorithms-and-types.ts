import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url, hmac, sha256 } from "../signing.ts";
import { currentKey, early, earlyClaims, headerText, refused, token, tokenOf, vector } from "./scene.ts";

const { keyId: kid, publicKey } = currentKey;
// Of the year 1970, so that there is room for long names.
const payload = JSON.stringify(earlyClaims);
const algorithm = (id: string, shows: string, shown: string) => vector(id, shows, { token: shown }, refused("ALGORITHM"), early);
const type = (id: string, shows: string, shown: string) => vector(id, shows, { token: shown }, refused("TYPE"), early);
const withAlgorithm = (alg: string) => tokenOf(`{"alg":${alg},"typ":"petak-deposit","kid":"${kid}"}`, payload);
const withType = (typ: string) => tokenOf(`{"alg":"EdDSA","typ":${typ},"kid":"${kid}"}`, payload);

function unsigned(alg: string, sign: (signed: string) => string): string {
  const signed = `${base64url(`{"alg":"${alg}","typ":"petak-deposit","kid":"${kid}"}`)}.${base64url(payload)}`;
  return `${signed}.${sign(signed)}`;
}

/** A token to deposit whose type was changed after signing. */
function retyped(): string {
  const [, payload64 = "", signature64 = ""] = token().split(".");
  return `${base64url(headerText("petak-collect"))}.${payload64}.${signature64}`;
}

/** Tokens that ask for another algorithm, or are of another type. */
export const algorithmsAndTypes: CredentialVector[] = [
  algorithm(
    "alg-none",
    "A token without a signature is refused for its algorithm.",
    unsigned("none", () => ""),
  ),
  algorithm("alg-none-signed", "The algorithm none is refused with a good signature too.", withAlgorithm('"none"')),
  algorithm(
    "alg-none-capital",
    'Other spellings of "none" are refused too.',
    unsigned("nOnE", () => ""),
  ),
  algorithm(
    "alg-hs256-public-key",
    "An HMAC with the public key is refused.",
    unsigned("HS256", (signed) => base64url(hmac(publicKey, signed))),
  ),
  algorithm(
    "alg-es256",
    "Another curve's algorithm is refused before its 64 bytes are looked at.",
    unsigned("ES256", (signed) => base64url(Buffer.concat([sha256(signed), sha256(`${signed}.`)]))),
  ),
  algorithm(
    "alg-rs256",
    "RSA is refused.",
    unsigned("RS256", (signed) => base64url(sha256(signed))),
  ),
  algorithm("alg-ed25519", "The newer name of the same algorithm is refused.", withAlgorithm('"Ed25519"')),
  algorithm("alg-lower-case", "Names are compared letter by letter.", withAlgorithm('"eddsa"')),
  algorithm("alg-missing", "A token without alg is refused.", tokenOf(`{"typ":"petak-deposit","kid":"${kid}"}`, payload)),
  algorithm("alg-null", "An alg that is not a string is refused.", withAlgorithm("null")),
  algorithm("alg-array", "An alg that is a list of a good one is refused.", withAlgorithm('["EdDSA"]')),
  type("typ-jwt", "A token of the type JWT opens nothing.", withType('"JWT"')),
  type("typ-request", "A request token opens nothing, though it be signed with the same key.", withType('"petak-request+jwt"')),
  type("typ-unknown", "A type of which the rule book knows nothing opens nothing.", withType('"petak-open"')),
  type("typ-capital", "Types are compared letter by letter.", withType('"Petak-Deposit"')),
  type("typ-suffix", "A suffix, as media types have, makes another type.", withType('"petak-deposit+jwt"')),
  type("typ-missing", "A token without a type opens nothing.", tokenOf(`{"alg":"EdDSA","kid":"${kid}"}`, payload)),
  type("typ-null", "A typ that is not a string is refused.", withType("null")),
  type("typ-list", "A type that is a list of a good one opens nothing.", withType('["petak-deposit"]')),
  vector(
    "typ-changed",
    "The type is signed: a token to deposit cannot be made one to collect.",
    { token: retyped() },
    refused("SIGNATURE"),
    { state: { inside: ["res_83652b_8xk2m4p9q7w3t5z1"] } },
  ),
];
