import { Act, siteClockSkewMs, type TrustBundle } from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import { issuerKeyIdLength } from "../keys/issuer-key.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { findIssuerKey, isBundleExpired } from "../trust-bundle/trust-bundle.ts";
import {
  type AccessTokenClaims,
  accessTokenMaxLength,
  accessTokenMaxLifetimeMs,
  accessTokenTypes,
  delegateTokenType,
  readClaims,
} from "./claims.ts";
import type { AccessTokenRefusal } from "./refusals.ts";
import { boundTokenId } from "./token-id.ts";

/** Default clock skew that verifiers tolerate, in ms. */
export const defaultMaxSkewMs = siteClockSkewMs;

export interface JudgeAccessTokenInput {
  /** The token as presented; any text. */
  token: string;
  /** The trusted issuer keys. */
  trustBundle: TrustBundle;
  /** The site where it is presented. Undefined: any site, for a gateway that identifies a token. */
  siteId: string | undefined;
  /** The verifier's clock, in ms. */
  nowMs: number;
  /** Tolerated error of the verifier's clock in either direction, in ms. Default {@link defaultMaxSkewMs}. */
  maxSkewMs?: number;
  /**
   * False: the verifier lost its clock, e.g. in a power cut, and `nowMs` is only the latest time that has certainly passed. Expiry is then judged without the
   * skew, and a token that became valid before `nowMs - maxSkewMs` is refused, since it may have expired. Default true.
   */
  clockTrusted?: boolean;
}

/** Result of judging a token. A refusal has claims if the signature was valid. */
export type AccessTokenJudgement =
  | { readonly ok: true; readonly claims: AccessTokenClaims; readonly keyId: string }
  | { readonly ok: false; readonly refusal: AccessTokenRefusal; readonly claims?: AccessTokenClaims };

interface ReadToken {
  readonly act: Act;
  readonly isDelegated: boolean;
  readonly type: string;
  readonly keyId: string;
  readonly payload: string;
  readonly signature: Uint8Array;
  readonly signed: string;
}

const encoder = new TextEncoder();
const actOfType = new Map([...accessTokenTypes].map(([act, type]) => [type, act]));

/**
 * Verifies an access token offline: a trusted issuer signed it for this site and this time. The agent must check whether it was used before and whether the
 * reservation allows the act. Never throws.
 */
export async function judgeAccessToken(input: JudgeAccessTokenInput): Promise<AccessTokenJudgement> {
  const token = readToken(input.token);
  if (typeof token === "string") return { ok: false, refusal: token };
  const { trustBundle, nowMs } = input;
  if (isBundleExpired(trustBundle, nowMs)) return { ok: false, refusal: "BUNDLE_EXPIRED" };
  const issuer = findIssuerKey(trustBundle, token.keyId, nowMs);
  if (issuer === "UNKNOWN") return { ok: false, refusal: "ISSUER_UNKNOWN" };
  if (issuer === "EXPIRED") return { ok: false, refusal: "ISSUER_EXPIRED" };
  if (isLowOrderPoint(issuer)) return { ok: false, refusal: "ISSUER_UNKNOWN" };
  if (!(await verifyEd25519(issuer, token.signature, encoder.encode(token.signed)))) return { ok: false, refusal: "SIGNATURE" };
  const claims = await readAllClaims(token);
  if (claims === undefined) return { ok: false, refusal: "CLAIMS" };
  const refusal = judgeClaims(claims, input);
  return refusal === undefined ? { ok: true, claims, keyId: token.keyId } : { ok: false, refusal, claims };
}

/**
 * Reads a token's claims without verifying its signature, for the token's own holder. Undefined if it is malformed. Verifiers use {@link judgeAccessToken}.
 */
export async function readOwnToken(text: string): Promise<AccessTokenClaims | undefined> {
  const token = readToken(text);
  return typeof token === "string" ? undefined : await readAllClaims(token);
}

async function readAllClaims({ act, isDelegated, type, payload }: ReadToken): Promise<AccessTokenClaims | undefined> {
  const claims = readClaims(parseCanonicalJson(payload), act, isDelegated);
  return claims && { ...claims, tokenId: claims.tokenId ?? (await boundTokenId(type, payload)) };
}

function judgeClaims(claims: AccessTokenClaims, input: JudgeAccessTokenInput): AccessTokenRefusal | undefined {
  const { siteId, nowMs, maxSkewMs = defaultMaxSkewMs, clockTrusted = true } = input;
  if (siteId !== undefined && claims.siteId !== siteId) return "SITE";
  if (claims.expiresAtMs - claims.notBeforeMs > accessTokenMaxLifetimeMs) return "TOO_LONG_LIVED";
  if (nowMs + maxSkewMs < claims.notBeforeMs) return "NOT_YET_VALID";
  if (nowMs - (clockTrusted ? maxSkewMs : 0) >= claims.expiresAtMs) return "EXPIRED";
  if (!clockTrusted && claims.notBeforeMs < nowMs - maxSkewMs) return "CLOCK_UNTRUSTED";
  return undefined;
}

/** Parses a token without verifying it, or returns why it is refused. */
function readToken(text: string): ReadToken | AccessTokenRefusal {
  if (text.length > accessTokenMaxLength) return "MALFORMED";
  const [header64 = "", payload64 = "", signature64 = "", ...rest] = text.split(".");
  const header = parseCanonicalJson(decodeText(header64));
  const payload = decodeText(payload64);
  const signature = decodeBase64url(signature64);
  if (rest.length > 0 || !isRecord(header) || payload === undefined || signature === undefined) return "MALFORMED";
  const { alg, typ, kid } = header;
  if (alg !== tokenAlgorithm) return "ALGORITHM";
  const isDelegated = typ === delegateTokenType;
  const act = isDelegated ? Act.COLLECT : typeof typ === "string" ? actOfType.get(typ) : undefined;
  if (typeof typ !== "string" || act === undefined) return "TYPE";
  if (Object.keys(header).join() !== "alg,typ,kid") return "MALFORMED";
  if (typeof kid !== "string" || kid.length !== issuerKeyIdLength || signature.length !== 64) return "MALFORMED";
  return { act, isDelegated, type: typ, keyId: kid, payload, signature, signed: `${header64}.${payload64}` };
}
