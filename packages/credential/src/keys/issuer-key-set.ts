import { decodeBase64url } from "../bytes/base64url.ts";
import { isRecord } from "../bytes/canonical-json.ts";
import { type IssuerJwk, type IssuerPublicKey, issuerKeyId, toJwks } from "./issuer-key.ts";
import { isLowOrderPoint } from "./low-order.ts";

/** A key with which an issuer signs or signed, and when. */
export interface IssuerKeyPeriod extends IssuerPublicKey {
  /** From when it signs, in ms. Undefined: from the beginning. */
  readonly signsFromMs?: number | undefined;
  /** Until when it signs, in ms. Undefined: no other follows it yet. */
  readonly signsUntilMs?: number | undefined;
}

/** A published key: a JWK with the times between which it signs, in RFC 3339. */
export interface PublishedIssuerKey extends IssuerJwk {
  readonly signs_from?: string;
  readonly signs_until?: string;
}

/** The issuer's keys, past and present, as published at `/.well-known/petak/issuer-keys.json`: for receipts, whose keys may be long gone. */
export function toIssuerKeySet(periods: readonly IssuerKeyPeriod[]): { keys: PublishedIssuerKey[] } {
  return {
    keys: periods.map((period) => {
      const [jwk] = toJwks([period]).keys as [IssuerJwk];
      const { signsFromMs, signsUntilMs } = period;
      return {
        ...jwk,
        ...(signsFromMs === undefined ? {} : { signs_from: new Date(signsFromMs).toISOString() }),
        ...(signsUntilMs === undefined ? {} : { signs_until: new Date(signsUntilMs).toISOString() }),
      };
    }),
  };
}

/**
 * Reads what {@link toIssuerKeySet} wrote, or a plain key set of issuer keys.
 *
 * @throws {TypeError} that says which key is none, and why.
 */
export async function readIssuerKeySet(value: unknown): Promise<IssuerKeyPeriod[]> {
  const keys = isRecord(value) ? value.keys : undefined;
  if (!Array.isArray(keys)) throw new TypeError("it has no list `keys`");
  return await Promise.all(keys.map((key: unknown, index) => readKey(key, `key ${index + 1}`)));
}

async function readKey(key: unknown, name: string): Promise<IssuerKeyPeriod> {
  if (!isRecord(key)) throw new TypeError(`${name} is no JWK`);
  const { kty, crv, x, kid } = key;
  const publicKey = typeof x === "string" ? decodeBase64url(x) : undefined;
  if (kty !== "OKP" || crv !== "Ed25519" || publicKey?.length !== 32) {
    throw new TypeError(`${name} is no JWK with kty "OKP", crv "Ed25519" and x of 32 bytes in base64url`);
  }
  if (isLowOrderPoint(publicKey)) throw new TypeError(`${name} is a point of low order, under which signatures prove nothing`);
  const keyId = await issuerKeyId(publicKey);
  if (kid !== keyId) throw new TypeError(`${name} has the kid ${JSON.stringify(kid)}, and by its x it is "${keyId}"`);
  return {
    keyId,
    publicKey,
    signsFromMs: readTime(key.signs_from, `signs_from of ${name}`),
    signsUntilMs: readTime(key.signs_until, `signs_until of ${name}`),
  };
}

function readTime(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  const timeMs = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new TypeError(`${name} is no time`);
  return timeMs;
}
