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

/** How far the judge's clock may be wrong where nobody says, in ms. */
export const defaultMaxSkewMs = siteClockSkewMs;

/** What a judge needs to know. */
export interface JudgeAccessTokenInput {
  /** The token as it was shown. Anything. */
  token: string;
  /** The issuer keys relied on. */
  trustBundle: TrustBundle;
  /** The site at whose door it is shown. Undefined: any, to a gateway that only asks whose it is. */
  siteId: string | undefined;
  /** The judge's clock, in ms. */
  nowMs: number;
  /** How far the judge's clock may be wrong either way, in ms. Default {@link defaultMaxSkewMs}. */
  maxSkewMs?: number;
  /**
   * False where the judge's clock was lost, e.g. with the power, and `nowMs` is only the latest time it is sure has passed. Then expiry
   * is judged without the skew's benefit, and a token that was good from before `nowMs - maxSkewMs` is refused: it may have expired
   * since. Default true.
   */
  clockTrusted?: boolean;
}

/** The judge's word. A refusal has the claims where the signature was good. */
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
 * Judges an access token without the network. It says whether the token is one that an issuer relied on signed for this site and this
 * time; whether the token was used before, and whether its reservation allows the act, is the agent's to know. Never throws, whatever
 * the token.
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
 * What a token says of itself, for whoever holds it: nobody has looked at the signature. Undefined where it is none. A judge asks
 * {@link judgeAccessToken}.
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

/** Takes a token apart, or says why it cannot be one. Nothing of it is believed yet. */
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
