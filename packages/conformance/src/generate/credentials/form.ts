import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url } from "../signing.ts";
import { currentKey, early, earlyClaims, headerText, refused, token, tokenOf, vector } from "./scene.ts";

// For the year 1970, so that additions fit and the length is not the reason of the refusal.
const good = token(earlyClaims);
const [header64 = "", payload64 = "", signature64 = ""] = good.split(".");
const payload = JSON.stringify(earlyClaims);
const { keyId: kid } = currentKey;
const malformed = (id: string, shows: string, shown: string) => vector(id, shows, { token: shown }, refused("MALFORMED"), early);
/** A token with another header. */
const header = (id: string, shows: string, text: Uint8Array | string) => malformed(id, shows, tokenOf(text, payload));

/** The segment with the bits after its last byte set. */
function withStrayBit(segment: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return segment.slice(0, -1) + alphabet.charAt(alphabet.indexOf(segment.slice(-1)) + 1);
}

/** A token whose signature is encoded in plain base64, with a character that base64url does not have. */
function inPlainBase64(): string {
  for (let sz = 0; ; sz = (sz + 1) % 8) {
    const candidate = token({ ...earlyClaims, sz, nbf: earlyClaims.nbf + sz });
    if (/[-_]/.test(candidate)) return candidate.replaceAll("-", "+").replaceAll("_", "/");
  }
}

/** Texts that are not a compact JWS in canonical form, or have another header. */
export const form: CredentialVector[] = [
  malformed("empty", "An empty text is not a token.", ""),
  malformed("no-token", "A text without dots is not a token.", "petak"),
  malformed("one-segment", "One segment is not a token.", header64),
  malformed("two-segments", "A token without a signature is refused.", `${header64}.${payload64}`),
  malformed("four-segments", "A token has three segments.", `${good}.`),
  malformed("five-segments", "An encrypted token (JWE) with five segments is refused.", `${header64}..${payload64}..${signature64}`),
  malformed(
    "json-serialisation",
    "Only the compact serialisation is a token.",
    JSON.stringify({ payload: payload64, protected: header64, signature: signature64 }),
  ),
  malformed("space-before", "A space before the token is not ignored.", ` ${good}`),
  malformed("space-after", "A space after the token is not ignored.", `${good} `),
  malformed("newline-after", "A newline after the token is not ignored.", `${good}\n`),
  malformed(
    "space-within",
    "A space within a segment is not ignored.",
    `${header64}.${payload64.slice(0, 8)} ${payload64.slice(8)}.${signature64}`,
  ),
  malformed(
    "too-long",
    "A token of 321 characters is too long.",
    tokenOf(headerText(), JSON.stringify({ ...earlyClaims, x: "x".repeat(10) })),
  ),
  malformed("truncated-by-one", "A token without its last character is refused.", good.slice(0, -1)),
  malformed("truncated-by-a-byte", "A signature of 61 bytes is refused.", `${header64}.${payload64}.${signature64.slice(0, -4)}A`),
  malformed("no-signature-bytes", "An empty signature is refused.", `${header64}.${payload64}.`),
  malformed(
    "longer-signature",
    "A signature of 65 bytes is refused.",
    `${header64}.${payload64}.${base64url(Buffer.concat([Buffer.from(signature64, "base64url"), Buffer.alloc(1)]))}`,
  ),
  malformed("padded-signature", "base64url has no padding.", `${good}==`),
  malformed("padded-header", "base64url has no padding in the header either.", `${base64url(headerText())}=.${payload64}.${signature64}`),
  malformed(
    "stray-bits-in-signature",
    "The bits after the last byte must be zero; otherwise a token would have several encodings.",
    `${header64}.${payload64}.${withStrayBit(signature64)}`,
  ),
  malformed("plain-base64", "The characters + and / are not in base64url.", inPlainBase64()),
  malformed("foreign-letter", "A character outside of ASCII is not in base64url.", `${header64}.${payload64}.${signature64.slice(0, -1)}Å`),
  header("header-no-json", "The header is JSON.", "alg=EdDSA"),
  malformed("header-empty", "An empty header is not JSON.", `.${payload64}.${signature64}`),
  header("header-array", "The header is an object.", `["EdDSA","petak-deposit","${kid}"]`),
  header("header-null", "The header must be an object, not null.", "null"),
  header("header-spaces", "The header has no spaces.", `{"alg": "EdDSA","typ":"petak-deposit","kid":"${kid}"}`),
  header("header-newline", "The header ends with its brace.", `${headerText()}\n`),
  header("header-reordered", "The header's members have one order.", `{"typ":"petak-deposit","alg":"EdDSA","kid":"${kid}"}`),
  header("header-escaped", "The header has no escapes.", `{"alg":"\\u0045dDSA","typ":"petak-deposit","kid":"${kid}"}`),
  header(
    "header-member-twice",
    "Duplicate members are refused, since parsers differ in which one they use.",
    `{"alg":"none","alg":"EdDSA","typ":"petak-deposit","kid":"${kid}"}`,
  ),
  header("header-byte-order-mark", "A byte order mark is not ignored.", `\uFEFF${headerText()}`),
  header(
    "header-no-utf8",
    "The header is UTF-8.",
    Buffer.concat([Buffer.from(headerText().slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]),
  ),
  malformed("payload-no-utf8", "The claims are UTF-8.", tokenOf(headerText(), Buffer.concat([Buffer.from(payload), Buffer.from([0xff])]))),
  header("header-crit", "The crit header is refused.", `{"alg":"EdDSA","typ":"petak-deposit","kid":"${kid}","crit":["exp"]}`),
  header("header-jwk", "A key inside the token is not used.", `{"alg":"EdDSA","typ":"petak-deposit","kid":"${kid}","jwk":{}}`),
  header(
    "header-b64",
    "The payload is base64url, whatever b64 says (RFC 7797).",
    `{"alg":"EdDSA","typ":"petak-deposit","kid":"${kid}","b64":false}`,
  ),
  header("kid-missing", "A token says which key signed it.", '{"alg":"EdDSA","typ":"petak-deposit"}'),
  header("kid-number", "A kid is a string.", '{"alg":"EdDSA","typ":"petak-deposit","kid":1234}'),
  header("kid-short", "A kid has four characters.", `{"alg":"EdDSA","typ":"petak-deposit","kid":"${kid.slice(0, 3)}"}`),
  header(
    "kid-long",
    "A kid has four characters; a whole thumbprint is refused.",
    `{"alg":"EdDSA","typ":"petak-deposit","kid":"${kid}${kid}"}`,
  ),
];
