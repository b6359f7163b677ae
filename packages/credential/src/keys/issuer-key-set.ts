import { decodeBase64url } from "../bytes/base64url.ts";
import { isRecord } from "../bytes/canonical-json.ts";
import { type IssuerJwk, type IssuerPublicKey, issuerKeyId, toJwks } from "./issuer-key.ts";
import { isLowOrderPoint } from "./low-order.ts";

/** An issuer key with the period in which it signs. */
export interface IssuerKeyPeriod extends IssuerPublicKey {
  /** Start of the period, in ms. Undefined: unbounded. */
  readonly signsFromMs?: number | undefined;
  /** End of the period, in ms. Undefined: no successor yet. */
  readonly signsUntilMs?: number | undefined;
}

/** A published key: a JWK with its period, in RFC 3339. */
export interface PublishedIssuerKey extends IssuerJwk {
  readonly signs_from?: string;
  readonly signs_until?: string;
}

/** The issuer's keys, past and present, as published at `/.well-known/petak/issuer-keys.json`: old receipts need old keys. */
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
 * @throws {TypeError} which names the invalid key and the reason.
 */
export async function readIssuerKeySet(value: unknown): Promise<IssuerKeyPeriod[]> {
  const keys = isRecord(value) ? value.keys : undefined;
  if (!Array.isArray(keys)) throw new TypeError("it has no array `keys`");
  return await Promise.all(keys.map((key: unknown, index) => readKey(key, `key ${index + 1}`)));
}

async function readKey(key: unknown, name: string): Promise<IssuerKeyPeriod> {
  if (!isRecord(key)) throw new TypeError(`${name} is not a JWK`);
  const { kty, crv, x, kid } = key;
  const publicKey = typeof x === "string" ? decodeBase64url(x) : undefined;
  if (kty !== "OKP" || crv !== "Ed25519" || publicKey?.length !== 32) {
    throw new TypeError(`${name} is not a JWK with kty "OKP", crv "Ed25519" and x of 32 bytes in base64url`);
  }
  if (isLowOrderPoint(publicKey)) throw new TypeError(`${name} is a point of low order, so its signatures prove nothing`);
  const keyId = await issuerKeyId(publicKey);
  if (kid !== keyId) throw new TypeError(`${name} has the kid ${JSON.stringify(kid)}, but the kid of its x is "${keyId}"`);
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
  if (Number.isNaN(timeMs)) throw new TypeError(`${name} is not a time`);
  return timeMs;
}
