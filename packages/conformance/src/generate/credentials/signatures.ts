import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url, keyNamed, signOffByTorsion, signText, withGreatS } from "../signing.ts";
import { claims, currentKey, headerText, previousKey, refused, token, tokenIdNamed, tokenOf, vector } from "./scene.ts";

const good = token();
const [header64 = "", payload64 = "", signature64 = ""] = good.split(".");
const signed = `${header64}.${payload64}`;
const signature = Buffer.from(signature64, "base64url");
const bad = (id: string, shows: string, shown: string) => vector(id, shows, { token: shown }, refused("SIGNATURE"));
const withSignature = (bytes: Uint8Array) => `${signed}.${base64url(bytes)}`;

function flipped(index: number, bit: number): Buffer {
  const changed = Buffer.from(signature);
  changed[index] = (changed[index] ?? 0) ^ bit;
  return changed;
}

/** Tokens whose signature is not good. */
export const signatures: CredentialVector[] = [
  bad(
    "other-key",
    "A stranger's signature under the issuer's kid is not good.",
    tokenOf(headerText(), JSON.stringify(claims), keyNamed("a stranger")),
  ),
  bad(
    "other-epoch",
    "A signature of the other key of the bundle is not good: the kid says which.",
    tokenOf(headerText(), JSON.stringify(claims), previousKey),
  ),
  bad("claims-changed", "The claims are signed.", `${header64}.${base64url(JSON.stringify({ ...claims, sz: 1 }))}.${signature64}`),
  bad(
    "signature-of-another",
    "The signature of one token is invalid for another.",
    `${signed}.${token({ jti: tokenIdNamed("another token") }).split(".")[2]}`,
  ),
  bad("first-bit", "A bit of R changed is a bad signature.", withSignature(flipped(0, 1))),
  bad("sign-bit-of-r", "The sign of R belongs to the signature.", withSignature(flipped(31, 0x80))),
  bad("bit-of-s", "A bit of S changed is a bad signature.", withSignature(flipped(32, 1))),
  bad("all-zero", "64 zero bytes are no signature.", withSignature(Buffer.alloc(64))),
  bad(
    "s-not-reduced",
    "S must be less than the group's order (RFC 8032 §5.1.7), else one token had two signatures.",
    withSignature(withGreatS(signature)),
  ),
  bad("high-bits-of-s", "The highest bits of S are zero.", withSignature(flipped(63, 0xe0))),
  bad(
    "off-by-torsion",
    "The equation is the one without the cofactor: an R that is off by a point of order 2 is refused.",
    withSignature(signOffByTorsion(signed, currentKey)),
  ),
  bad(
    "signed-the-decoded",
    "The signature covers the encoded segments, not their decoded content.",
    withSignature(signText(`${headerText()}.${JSON.stringify(claims)}`, currentKey)),
  ),
];
