import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../jws/token-algorithm.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import { issuerKeyId } from "../keys/issuer-key.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "../keys/private-jwk.ts";

/** What a root key states of another key: that it is genuine, or that it must not be believed any more. The `typ` of each. */
export const statementTypes = { certificate: "petak-certificate", revocation: "petak-revocation" } as const;

export type KeyStatementType = keyof typeof statementTypes;

/** Whose key it is: that of an issuer of access tokens, or one with which a participant signs requests. */
export type CertifiedKind = "issuer" | "participant";

/** What a certificate or a revocation says. */
export interface KeyStatement {
  /** The root key that signs it: see {@link fingerprintOfRoot}. */
  readonly root: string;
  readonly kind: CertifiedKind;
  /** For a participant's key: the participant. */
  readonly participantId?: string | undefined;
  /** 1 to 64 letters, digits, `-` and `_`. An issuer's follows from its public key. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** From when the key is genuine, or not to be believed any more, in s since 1970. */
  readonly notBeforeS: number;
  /** Until when: at most {@link statementMaxLifetimeS} later. */
  readonly notAfterS: number;
  /** 16 random bytes in base64url. */
  readonly serial: string;
}

/** What is wrong with a certificate or a revocation. docs/credentials.md has the order in which it is found. */
export const statementFaults = ["form", "alg", "typ", "iss", "signature", "claims", "kind", "key", "lifetime", "nbf", "exp"] as const;

export type StatementFault = (typeof statementFaults)[number];

/** The longest time for which a certificate or a revocation says something, in s: 400 days, a year and a month to make the next one. */
export const statementMaxLifetimeS = 400 * 86_400;

/** The longest certificate or revocation, in characters. One of an issuer's key has about 450. */
export const statementMaxLength = 1024;

/** How far a root's clock may be ahead of a verifier's, in s. */
const skewS = 300;

const latestS = 9_999_999_999;
const encoder = new TextEncoder();

/** The fingerprint of a root key, by which people and devices recognise it: its RFC 7638 thumbprint, 43 characters. */
export function fingerprintOfRoot(publicKey: Uint8Array): Promise<string> {
  return calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: encodeBase64url(publicKey) });
}

/** Signs a certificate or a revocation with a root key: a compact JWS. */
export async function signKeyStatement(
  root: Ed25519PrivateJwk,
  type: KeyStatementType,
  { kind, participantId, keyId, publicKey, notBeforeS, notAfterS, serial }: Omit<KeyStatement, "root">,
): Promise<string> {
  return signCompact(
    root,
    { alg: tokenAlgorithm, typ: statementTypes[type] },
    {
      iss: await fingerprintOfRoot(publicKeyOf(root)),
      kind,
      ...(participantId !== undefined && { sub: participantId }),
      kid: keyId,
      x: encodeBase64url(publicKey),
      nbf: notBeforeS,
      exp: notAfterS,
      ser: serial,
    },
  );
}

/** A new serial number: 128 random bits. */
export function newSerial(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Judges a certificate or a revocation. Never throws.
 *
 * @param expected.rootKey the root key that is believed, 32 bytes
 * @param expected.nowMs the verifier's clock, in ms. Undefined: whatever the time is
 * @returns what it says, or what is wrong with it
 */
export async function judgeKeyStatement(
  text: string,
  { type, rootKey, kind, nowMs }: { type: KeyStatementType; rootKey: Uint8Array; kind: CertifiedKind; nowMs?: number | undefined },
): Promise<KeyStatement | StatementFault> {
  if (text.length > statementMaxLength) return "form";
  const [header64 = "", payload64 = "", signature64 = "", ...rest] = text.split(".");
  const header = parseCanonicalJson(decodeText(header64));
  const claims = parseCanonicalJson(decodeText(payload64));
  const signature = decodeBase64url(signature64);
  if (rest.length > 0 || !isRecord(header) || !isRecord(claims) || signature?.length !== 64) return "form";
  if (header.alg !== tokenAlgorithm) return "alg";
  if (header.typ !== statementTypes[type]) return "typ";
  if (Object.keys(header).join() !== "alg,typ") return "form";
  if (claims.iss !== (await fingerprintOfRoot(rootKey))) return "iss";
  const isSigned = !isLowOrderPoint(rootKey) && (await verifyEd25519(rootKey, signature, encoder.encode(`${header64}.${payload64}`)));
  if (!isSigned) return "signature";
  const statement = readStatement(claims);
  if (statement === undefined) return "claims";
  if (statement.kind !== kind) return "kind";
  return (await faultOf(statement, nowMs)) ?? statement;
}

async function faultOf(
  { kind, keyId, publicKey, notBeforeS, notAfterS }: KeyStatement,
  nowMs: number | undefined,
): Promise<StatementFault | undefined> {
  if (isLowOrderPoint(publicKey) || (kind === "issuer" && keyId !== (await issuerKeyId(publicKey)))) return "key";
  if (notAfterS - notBeforeS > statementMaxLifetimeS) return "lifetime";
  if (nowMs !== undefined && nowMs < (notBeforeS - skewS) * 1000) return "nbf";
  return nowMs !== undefined && nowMs >= notAfterS * 1000 ? "exp" : undefined;
}

function readStatement(claims: Record<string, unknown>): KeyStatement | undefined {
  const { iss, kind, sub, kid, x, nbf, exp, ser } = claims;
  if (kind !== "issuer" && kind !== "participant") return undefined;
  const members = kind === "issuer" ? "iss,kind,kid,x,nbf,exp,ser" : "iss,kind,sub,kid,x,nbf,exp,ser";
  if (Object.keys(claims).join() !== members) return undefined;
  if (kind === "participant" && !isText(sub, /^par_[0-9a-hjkmnp-tv-z]{16}$/)) return undefined;
  if (!isText(iss, /./) || !isText(kid, /^[\w-]{1,64}$/) || !isTime(nbf) || !isTime(exp) || nbf >= exp) return undefined;
  const publicKey = bytesOf(x, 32);
  if (publicKey === undefined || bytesOf(ser, 16) === undefined) return undefined;
  const participantId = kind === "participant" ? (sub as string) : undefined;
  return { root: iss, kind, participantId, keyId: kid, publicKey, notBeforeS: nbf, notAfterS: exp, serial: ser as string };
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= latestS;
}

function bytesOf(value: unknown, length: number): Uint8Array | undefined {
  const bytes = typeof value === "string" ? decodeBase64url(value) : undefined;
  return bytes?.length === length ? bytes : undefined;
}
