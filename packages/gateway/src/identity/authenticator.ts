import { hash } from "node:crypto";
import { isLowOrderPoint, verifyEd25519 } from "@petak/credential";
import { PetakError } from "@petak/protocol";
import type { Caller, ParticipantCaller, PublishableCaller } from "./caller.ts";
import type { KeyDirectory, KeyRecord } from "./key-directory.ts";
import { isOriginAllowed } from "./origin.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { checkAudienceAndTime, parseRequestToken } from "./request-token.ts";
import { createVerifiedTokens, type VerifiedToken } from "./verified-tokens.ts";

export interface AuthenticatorOptions {
  keys: KeyDirectory;
  /** Required `aud` of request tokens. */
  audience: string;
  /** The clock, in ms. */
  now: () => number;
  /** Most cached tokens, and most publishable keys with a rate limit in memory. Default 10,000, about 2 MB. */
  cacheMax?: number;
}

/** The credentials of a request. */
export interface RequestCredentials {
  /** The Authorization header. */
  authorization: string | undefined;
  /** The Origin header, which browsers add to requests of pages. */
  origin: string | undefined;
}

/** Authenticates requests. */
export interface Authenticator {
  /**
   * The caller, if the token in the same header was verified before and is still valid, and its key is cached. Undefined otherwise: call
   * {@link authenticate}.
   */
  recall(authorization: string | undefined): Caller | undefined;
  /** Authenticates a request. Rejects only with a PetakError that has the reason. */
  authenticate(credentials: RequestCredentials): Promise<Caller>;
  /** Checks a participant's key again during a long call. Throws KEY_REVOKED if it was revoked meanwhile. */
  recheck(caller: ParticipantCaller): Promise<void>;
}

/** Longest Authorization header, in characters. A request token has about 350, with ids and audience of maximum length still less than this. */
const bearerMaxLength = 2048;

/**
 * Creates an authenticator. A token's signature is verified once. Later uses of the token only check its expiry and its key, so that a revocation of the
 * key takes effect.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { keys, audience, now, cacheMax = 10_000 } = options;
  const verified = createVerifiedTokens(cacheMax);
  // Keyed by the whole header: hashing the token would take longer than the rest of a repeated authentication.
  const recent = createVerifiedTokens(cacheMax);
  const limiter = createRateLimiter({ now, max: cacheMax });
  // Concurrent first uses of a token share one verification. Bounded by the number of calls in progress.
  const verifying = new Map<string, Promise<VerifiedToken>>();

  async function verify(text: string): Promise<VerifiedToken> {
    const token = parseRequestToken(text);
    checkAudienceAndTime(token, audience, now());
    const key = await usableKey(token);
    const isGood = !isLowOrderPoint(key.publicKey) && (await verifyEd25519(key.publicKey, token.signature, token.signed));
    if (!isGood) {
      throw new PetakError("TOKEN_SIGNATURE_WRONG", `the token's signature does not verify with key '${token.keyId}'`, {
        metadata: { key_id: token.keyId },
      });
    }
    return { keyId: token.keyId, participantId: token.participantId, expiresAtMs: token.expiresAtMs };
  }

  async function usableKey(token: { keyId: string; participantId: string }): Promise<KeyRecord> {
    const { keyId, participantId } = token;
    const key = await keys.findKey(keyId);
    if (key === undefined) {
      throw new PetakError("KEY_UNKNOWN", "the key in the token's 'kid' is not registered", {
        metadata: { key_id: shown(keyId) },
      });
    }
    if (isRevoked(key)) throw new PetakError("KEY_REVOKED", `key '${keyId}' was revoked`, { metadata: { key_id: keyId } });
    if (key.participantId !== participantId) {
      throw new PetakError("KEY_ISSUER_MISMATCH", `key '${keyId}' does not belong to the participant in 'iss'`, {
        metadata: { key_id: keyId },
      });
    }
    return key;
  }

  function isRevoked(key: { revokedAtMs?: number }): boolean {
    return key.revokedAtMs !== undefined && key.revokedAtMs <= now();
  }

  async function byToken(text: string): Promise<{ caller: Caller; token: VerifiedToken }> {
    const tokenHash = hash("sha256", text, "base64");
    const known = verified.find(tokenHash);
    if (known !== undefined) {
      if (known.expiresAtMs <= now()) {
        throw new PetakError(
          "TOKEN_REPLAYED_AFTER_EXPIRY",
          "the token was used here while it was valid, and has expired since; sign a new token",
        );
      }
      return { caller: callerOf(await usableKey(known)), token: known };
    }
    let pending = verifying.get(tokenHash);
    if (pending === undefined) {
      pending = verify(text)
        .then((token) => {
          verified.add(tokenHash, token);
          return token;
        })
        .finally(() => verifying.delete(tokenHash));
      verifying.set(tokenHash, pending);
    }
    const token = await pending;
    return { caller: callerOf(await usableKey(token)), token };
  }

  async function byPublishableKey(text: string, origin: string | undefined): Promise<PublishableCaller> {
    const key = await keys.findPublishableKey(text);
    if (key === undefined) throw new PetakError("KEY_UNKNOWN", "the publishable key is not registered", { metadata: { key_id: text } });
    if (isRevoked(key)) throw new PetakError("KEY_REVOKED", `publishable key '${text}' was revoked`, { metadata: { key_id: text } });
    if (!isOriginAllowed(key, origin)) {
      const seen =
        origin === undefined
          ? "the request has no Origin header; only test keys may be used without one"
          : `the key does not allow the origin '${shown(origin)}'`;
      throw new PetakError("ORIGIN_NOT_ALLOWED", `${seen}; create a publishable key for the page's origin`);
    }
    const retryAfterMs = limiter.take(text, key.requestsPerSecond);
    if (retryAfterMs > 0) {
      throw new PetakError(
        "RATE_LIMITED",
        `the key may make ${key.requestsPerSecond} requests per second; try again in ${retryAfterMs} ms`,
        {
          retryAfterMs,
          metadata: { requests_per_second: String(key.requestsPerSecond) },
        },
      );
    }
    return { kind: "publishable", participantId: key.participantId, mode: key.mode, key: key.publishableKey };
  }

  return {
    recall(authorization) {
      const token = authorization === undefined ? undefined : recent.find(authorization);
      if (token === undefined || token.expiresAtMs <= now()) return undefined;
      const key = keys.findKey(token.keyId);
      if (key === undefined || key instanceof Promise || isRevoked(key) || key.participantId !== token.participantId) return undefined;
      return callerOf(key);
    },
    authenticate: ({ authorization, origin }) =>
      orUnavailable(async () => {
        const bearer = readBearer(authorization);
        if (bearer.startsWith("pk_")) return await byPublishableKey(bearer, origin);
        const { caller, token } = await byToken(bearer);
        if (authorization !== undefined) recent.add(authorization, token);
        return caller;
      }),
    recheck: (caller) => orUnavailable(async () => void (await usableKey(caller))),
  };
}

async function orUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PetakError) throw error;
    // Only the look-up of keys can fail here.
    throw new PetakError("STORE_UNAVAILABLE", "the gateway cannot look up keys now; try again in 1000 ms", {
      cause: error,
      retryAfterMs: 1000,
    });
  }
}

function callerOf(key: KeyRecord): Caller {
  const { participantId, roles, mode, keyId, siteId } = key;
  return siteId === undefined
    ? { kind: "participant", participantId, roles, mode, keyId }
    : { kind: "agent", participantId, siteId, mode, keyId };
}

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === "") {
    throw new PetakError("CREDENTIALS_MISSING", "send 'Authorization: Bearer' with a signed request token or a publishable key");
  }
  const [, bearer = ""] = /^bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization.slice(0, bearerMaxLength + 1)) ?? [];
  if (authorization.length > bearerMaxLength || bearer === "") {
    throw new PetakError(
      "CREDENTIALS_MALFORMED",
      `the Authorization header must be 'Bearer' and one token, with at most ${bearerMaxLength} characters in total`,
    );
  }
  if (bearer.startsWith("pk_") && !/^pk_(live|test)_[0-9a-z]{1,40}$/.test(bearer)) {
    throw new PetakError(
      "CREDENTIALS_MALFORMED",
      "a publishable key must be 'pk_live_' or 'pk_test_' followed by lower-case letters and digits",
    );
  }
  return bearer;
}

/** Text of a caller, shortened for an error message. */
function shown(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
