import { hash } from "node:crypto";
import { isLowOrderPoint, verifyEd25519 } from "@petak/credential";
import { PetakError, type Reason } from "@petak/protocol";
import type { Metrics } from "../observability/metrics.ts";
import { defaultCallLimits } from "../transport/index.ts";
import { rateOf } from "../transport/limits/rate.ts";
import { RecentMap } from "../transport/limits/recent-map.ts";
import { type AgentCaller, type Caller, callsOfRevokedAgents, type ParticipantCaller, type PublishableCaller } from "./caller.ts";
import type { KeyDirectory, KeyRecord } from "./key-directory.ts";
import { isOriginAllowed } from "./origin.ts";
import { Paces } from "./paces.ts";
import { checkAudienceAndTime, parseRequestToken } from "./request-token.ts";

export interface AuthenticatorOptions {
  keys: KeyDirectory;
  /** Required `aud` of request tokens. */
  audience: string;
  /** The clock, in ms. */
  now: () => number;
  /** Counts signatures and refusals. Default: they are not counted. */
  metrics?: Pick<Metrics, "signatureChecks" | "callsRefused">;
  /** Most cached tokens, publishable keys with a rate limit, and senders of invalid credentials in memory. Default 10,000, about 2 MB. */
  cacheMax?: number;
  /** Invalid credentials that an address, or a key at an address, may send at once; one more each second. Default: that of the gateway's settings. */
  failuresMax?: number;
}

/** The credentials of a request. */
export interface RequestCredentials {
  /** The Authorization header. */
  authorization: string | undefined;
  /** The Origin header, which browsers add to requests of pages. */
  origin: string | undefined;
  /** The account of the address that it comes from. */
  source: string;
  /** The full name of the called method. Default: that does not matter. */
  method?: string;
}

/** Facts about a token with a verified signature. */
interface VerifiedToken {
  readonly keyId: string;
  readonly participantId: string;
  readonly expiresAtMs: number;
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
  /** Checks the key of a call again. Rejects with KEY_REVOKED if it was revoked meanwhile. Undefined: it was not, as far as is cached. */
  recheck(caller: ParticipantCaller | AgentCaller): Promise<void> | undefined;
}

/** Longest Authorization header, in characters. A request token has about 350, with ids and audience of maximum length still less than this. */
const bearerMaxLength = 2048;

/**
 * Creates an authenticator. A token's signature is verified once. Later uses of the token only check its expiry and its key, so that a revocation of the
 * key takes effect.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { keys, audience, now, metrics, cacheMax = 10_000, failuresMax = defaultCallLimits.failedAuthenticationsMax } = options;
  // Expired tokens stay until they are forgotten, so that their reuse can be told from tokens that were never valid here.
  const verified = new RecentMap<VerifiedToken>(cacheMax);
  // Keyed by the whole header: hashing the token would take longer than the rest of a repeated authentication.
  const recent = new RecentMap<VerifiedToken>(cacheMax);
  const ofPages = new Paces({ now, max: cacheMax });
  const failures = new Paces({ now, max: cacheMax });
  const failureRate = rateOf({ everyMs: 1000, atOnce: failuresMax });
  // Concurrent first uses of a token share one verification. Bounded by the number of calls in progress.
  const verifying = new Map<string, Promise<VerifiedToken>>();

  /**
   * Refuses credentials of an address that has sent many invalid ones, before a key is looked up or a signature verified. Keys that exist count one by
   * one, so that their owners are not kept out by somebody who invents tokens at the same address.
   */
  function requireTrust(source: string, keyId: string): void {
    const sender = keys.isKnown(keyId) ? senderOf(source, keyId) : source;
    if (failures.waitMs(sender, failureRate) === 0) return;
    metrics?.callsRefused.inc({ kind: "credentials" });
    throw new PetakError(
      "RATE_LIMITED",
      `${source} has sent ${failuresMax} invalid credentials, its limit. Check the key and what signs with it, and try again in 1000 ms.`,
      { retryAfterMs: 1000, metadata: { kind: "credentials", limit: String(failuresMax) } },
    );
  }

  function countFailure(error: unknown, { source }: RequestCredentials): void {
    if (!(error instanceof PetakError) || !suspicious.has(error.reason)) return;
    failures.count(source, failureRate);
    const keyId = error.metadata.key_id;
    if (keyId !== undefined && keys.isKnown(keyId)) failures.count(senderOf(source, keyId), failureRate);
  }

  async function verify(text: string, source: string, mayBeRevoked: boolean): Promise<VerifiedToken> {
    const token = parseRequestToken(text);
    checkAudienceAndTime(token, audience, now());
    requireTrust(source, token.keyId);
    const key = await usableKey(token, mayBeRevoked);
    metrics?.signatureChecks.inc();
    const isGood = !isLowOrderPoint(key.publicKey) && (await verifyEd25519(key.publicKey, token.signature, token.signed));
    if (!isGood) {
      throw new PetakError("TOKEN_SIGNATURE_WRONG", `the token's signature does not verify with key '${token.keyId}'`, {
        metadata: { key_id: token.keyId },
      });
    }
    return { keyId: token.keyId, participantId: token.participantId, expiresAtMs: token.expiresAtMs };
  }

  /** @param mayBeRevoked whether an agent's key may be revoked */
  async function usableKey(token: { keyId: string; participantId: string }, mayBeRevoked = false): Promise<KeyRecord> {
    const { keyId, participantId } = token;
    const key = await keys.findKey(keyId);
    if (key === undefined) {
      throw new PetakError("KEY_UNKNOWN", "the key in the token's 'kid' is not registered", {
        metadata: { key_id: shown(keyId) },
      });
    }
    if (isRevoked(key) && !(mayBeRevoked && key.siteId !== undefined)) throw keyRevoked(keyId);
    if (key.participantId !== participantId) {
      throw new PetakError("KEY_ISSUER_MISMATCH", `key '${keyId}' does not belong to the participant in 'iss'`, {
        metadata: { key_id: keyId },
      });
    }
    return key;
  }

  /** The key of somebody who was verified before, if it is cached and still usable. */
  function cachedKey({ keyId, participantId }: { keyId: string; participantId: string }): KeyRecord | undefined {
    const key = keys.findKey(keyId);
    if (key instanceof Promise) {
      // Whoever authenticates next learns of its failure.
      key.catch(() => {});
      return undefined;
    }
    return key === undefined || isRevoked(key) || key.participantId !== participantId ? undefined : key;
  }

  function isRevoked(key: { revokedAtMs?: number }): boolean {
    return key.revokedAtMs !== undefined && key.revokedAtMs <= now();
  }

  async function byToken(text: string, { source, method = "" }: RequestCredentials): Promise<{ caller: Caller; token: VerifiedToken }> {
    const mayBeRevoked = callsOfRevokedAgents.has(method);
    const callerOfToken = async (token: VerifiedToken): Promise<Caller> => {
      const key = await usableKey(token, mayBeRevoked);
      return isRevoked(key) ? { ...(callerOf(key) as AgentCaller), isRevoked: true } : callerOf(key);
    };
    const tokenHash = hash("sha256", text, "base64");
    const known = verified.find(tokenHash);
    if (known !== undefined) {
      if (known.expiresAtMs <= now()) {
        throw new PetakError(
          "TOKEN_REPLAYED_AFTER_EXPIRY",
          "the token was used here while it was valid, and has expired since; sign a new token",
        );
      }
      return { caller: await callerOfToken(known), token: known };
    }
    let pending = verifying.get(tokenHash);
    if (pending === undefined) {
      pending = verify(text, source, mayBeRevoked)
        .then((token) => {
          verified.put(tokenHash, token);
          return token;
        })
        .finally(() => verifying.delete(tokenHash));
      verifying.set(tokenHash, pending);
    }
    const token = await pending;
    return { caller: await callerOfToken(token), token };
  }

  async function byPublishableKey(text: string, { origin, source }: RequestCredentials): Promise<PublishableCaller> {
    requireTrust(source, text);
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
    const rate = rateOf({ everyMs: 1000 / key.requestsPerSecond, atOnce: key.requestsPerSecond });
    const retryAfterMs = ofPages.waitMs(text, rate);
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
    ofPages.count(text, rate);
    return { kind: "publishable", participantId: key.participantId, mode: key.mode, key: key.publishableKey };
  }

  return {
    recall(authorization) {
      const token = authorization === undefined ? undefined : recent.find(authorization);
      if (token === undefined || token.expiresAtMs <= now()) return undefined;
      const key = cachedKey(token);
      return key && callerOf(key);
    },
    authenticate: (credentials) =>
      orUnavailable(async () => {
        const { authorization } = credentials;
        try {
          const bearer = readBearer(authorization);
          if (bearer.startsWith("pk_")) return await byPublishableKey(bearer, credentials);
          const { caller, token } = await byToken(bearer, credentials);
          if (authorization !== undefined) recent.put(authorization, token);
          return caller;
        } catch (error) {
          countFailure(error, credentials);
          throw error;
        }
      }),
    recheck(caller) {
      if (cachedKey(caller) !== undefined) return undefined;
      const mayBeRevoked = caller.kind === "agent" && caller.isRevoked === true;
      return orUnavailable(async () => void (await usableKey(caller, mayBeRevoked)));
    },
  };
}

/**
 * Reasons that count as invalid credentials. Those about times and audiences do not: they are found without a look-up or a signature check, and
 * a clock that is wrong is no attack.
 */
const suspicious: ReadonlySet<string> = new Set<Reason>([
  "CREDENTIALS_MALFORMED",
  "KEY_UNKNOWN",
  "KEY_ISSUER_MISMATCH",
  "TOKEN_SIGNATURE_WRONG",
]);

/** The sender of a key's tokens at an address. */
function senderOf(source: string, keyId: string): string {
  return `${source} ${keyId}`;
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

/** The error for a key that was revoked. */
export function keyRevoked(keyId: string): PetakError {
  return new PetakError("KEY_REVOKED", `key '${keyId}' was revoked`, { metadata: { key_id: keyId } });
}

function callerOf(key: KeyRecord): Caller {
  const { participantId, roles, mode, keyId, siteId, holdLimits } = key;
  return siteId === undefined
    ? { kind: "participant", participantId, roles, mode, keyId, ...(holdLimits && { holdLimits }) }
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
