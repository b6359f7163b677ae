import { decodeBase64url, requestTokenMaxLifetimeMs, requestTokenType, tokenAlgorithm } from "@petak/credential";
import { PetakError } from "@petak/protocol";

/** A parsed request token. It is not trustworthy before its signature is verified. */
export interface RequestToken {
  readonly keyId: string;
  readonly participantId: string;
  readonly audience: string;
  /** Beginning of its validity, in ms: the later of `iat` and `nbf`. */
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
  /** 64 bytes. Any other length fails the verification. */
  readonly signature: Uint8Array;
  /** The signed bytes. */
  readonly signed: Uint8Array<ArrayBuffer>;
}

/**
 * How far a caller's clock may be ahead, in ms. Leeway applies to the beginning only: accepting a token early is harmless. The end is exact, because leeway
 * would extend the life of a leaked token beyond ten minutes, and the signer can choose a later end.
 */
const clockAheadMs = 30_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Parses a request token. Throws a PetakError if its form, algorithm, type or claims are wrong. */
export function parseRequestToken(text: string): RequestToken {
  const parts = text.split(".");
  const [header64 = "", payload64 = "", signature64 = ""] = parts;
  const header = parseObject(header64);
  const claims = parseObject(payload64);
  const signature = decodeBase64url(signature64);
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined) {
    throw new PetakError("CREDENTIALS_MALFORMED", "the bearer token is neither a compact JWS nor a publishable key");
  }
  if (header.alg !== tokenAlgorithm) {
    throw new PetakError("TOKEN_ALGORITHM_WRONG", `alg must be "${tokenAlgorithm}"`, { metadata: { expected: tokenAlgorithm } });
  }
  if (header.typ !== requestTokenType) {
    throw new PetakError("TOKEN_TYPE_WRONG", `typ must be "${requestTokenType}"`, { metadata: { expected: requestTokenType } });
  }
  if ("crit" in header) throw claimInvalid("crit", "critical header fields are not supported");
  const keyId = readText("kid", header.kid);
  const participantId = readText("iss", claims.iss);
  // Some libraries encode a single audience as an array.
  const audience = readText("aud", Array.isArray(claims.aud) && claims.aud.length === 1 ? claims.aud[0] : claims.aud);
  const issuedAtMs = readTime("iat", claims.iat);
  const expiresAtMs = readTime("exp", claims.exp);
  const notBeforeMs = claims.nbf === undefined ? issuedAtMs : Math.max(issuedAtMs, readTime("nbf", claims.nbf));
  if (expiresAtMs <= issuedAtMs) throw claimInvalid("exp", "it must be later than iat");
  if (expiresAtMs - issuedAtMs > requestTokenMaxLifetimeMs) {
    const limit = String(requestTokenMaxLifetimeMs / 1000);
    throw new PetakError(
      "TOKEN_LIFETIME_TOO_LONG",
      `the token's lifetime is ${(expiresAtMs - issuedAtMs) / 1000} s; exp must be at most ${limit} s after iat`,
      { metadata: { limit_seconds: limit } },
    );
  }
  return { keyId, participantId, audience, notBeforeMs, expiresAtMs, signature, signed: encoder.encode(`${header64}.${payload64}`) };
}

/** Throws a PetakError if a token is for another gateway or not valid now. */
export function checkAudienceAndTime(token: RequestToken, audience: string, nowMs: number): void {
  if (token.audience !== audience) {
    throw new PetakError(
      "TOKEN_AUDIENCE_WRONG",
      `aud must be "${audience}", the audience of this network; the token was signed for another one`,
      { metadata: { expected: audience } },
    );
  }
  if (token.notBeforeMs > nowMs + clockAheadMs) {
    throw new PetakError(
      "TOKEN_NOT_YET_VALID",
      `the token is valid from ${iso(token.notBeforeMs)}, and the gateway's clock is at ${iso(nowMs)}; correct the caller's clock`,
      {
        metadata: { server_time: iso(nowMs) },
      },
    );
  }
  if (token.expiresAtMs <= nowMs) {
    throw new PetakError(
      "TOKEN_EXPIRED",
      `the token expired at ${iso(token.expiresAtMs)}, and the gateway's clock is at ${iso(nowMs)}; sign a new token`,
      {
        metadata: { server_time: iso(nowMs) },
      },
    );
  }
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function parseObject(base64url: string): Record<string, unknown> | undefined {
  const bytes = decodeBase64url(base64url);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readText(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw claimInvalid(name, "it must be a non-empty string");
  return value;
}

/** Reads a NumericDate in ms. The limit is the last time that a Date can represent. */
function readTime(name: string, value: unknown): number {
  if (typeof value !== "number" || !(value >= 0 && value <= 8.64e12))
    throw claimInvalid(name, "it must be a number of seconds since 1970-01-01T00:00:00Z");
  return value * 1000;
}

function claimInvalid(name: string, rule: string): PetakError {
  return new PetakError("TOKEN_CLAIMS_INVALID", `'${name}' of the token is invalid: ${rule}`, { metadata: { claim: name } });
}
