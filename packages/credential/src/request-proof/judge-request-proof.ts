import { type CompactFault, readCompact } from "../jws/read-compact.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import {
  messageHash,
  type ProvenCall,
  requestProofLeewayMs,
  requestProofLifetimeMs,
  requestProofType,
  requestTokenHash,
} from "./request-proof.ts";

/** What is wrong with a proof: a header field or claim, its form, or its signature. In the order in which they are checked. */
export const requestProofFaults = [
  "form",
  "alg",
  "typ",
  "crit",
  "kid",
  "jti",
  "htm",
  "htu",
  "iat",
  "ath",
  "request_id",
  "message_sha256",
  "signature",
] as const;

/** One of {@link requestProofFaults}. */
export type RequestProofFault = (typeof requestProofFaults)[number];

/** Options of {@link judgeRequestProof}. */
export interface JudgeRequestProofInput extends Omit<ProvenCall, "url"> {
  /** The proof as received; any text. */
  proof: string;
  /** The path of the method, e.g. `/petak.v1.ParticipantService/RegisterKey`. */
  path: string;
  /** The key of the call's request token, which was verified. */
  keyId: string;
  publicKey: Uint8Array;
  /** The verifier's clocks, in ms. The proof must be valid by one of them. */
  nowMs: readonly number[];
}

/** The result: the `jti`, which the verifier must not have seen before, and the end of the proof in ms, or what is wrong. */
export type RequestProofJudgement =
  | { readonly proofId: string; readonly endsAtMs: number; readonly fault?: undefined }
  | { readonly fault: RequestProofFault };

/** The longest proof, in characters. One has about 550. */
const proofMaxLength = 4096;

/** Verifies the proof of one call. Everything that costs little is checked before the signature. Never throws. */
export async function judgeRequestProof(input: JudgeRequestProofInput): Promise<RequestProofJudgement> {
  const { keyId, publicKey, path, requestToken, requestId, message, nowMs } = input;
  const read = readCompact(input.proof, requestProofType, proofMaxLength);
  if (typeof read === "string") return { fault: read satisfies CompactFault };
  const { header, claims, signature, signed } = read;
  if (header.kid !== keyId) return { fault: "kid" };
  const { jti, htm, htu, iat } = claims;
  if (typeof jti !== "string" || !/^[A-Za-z0-9_-]{16,64}$/.test(jti)) return { fault: "jti" };
  if (htm !== "POST") return { fault: "htm" };
  if (!isUrlOf(htu, path)) return { fault: "htu" };
  if (typeof iat !== "number" || !Number.isSafeInteger(iat)) return { fault: "iat" };
  const endsAtMs = iat * 1000 + requestProofLifetimeMs;
  if (!nowMs.some((now) => iat * 1000 - requestProofLeewayMs <= now && now < endsAtMs)) return { fault: "iat" };
  if (claims.ath !== (await requestTokenHash(requestToken))) return { fault: "ath" };
  if (claims.request_id !== requestId) return { fault: "request_id" };
  if (claims.message_sha256 !== (await messageHash(message))) return { fault: "message_sha256" };
  if (isLowOrderPoint(publicKey) || !(await verifyEd25519(publicKey, signature, signed))) return { fault: "signature" };
  return { proofId: jti, endsAtMs };
}

/**
 * Whether a URL is one of the method. Its host and the beginning of its path are the caller's: a proxy in between may have changed both, and `ath` already
 * binds the proof to one network.
 */
function isUrlOf(htu: unknown, path: string): boolean {
  return typeof htu === "string" && /^https?:\/\/[^/?#\s]+\/[^?#\s]*$/.test(htu) && htu.endsWith(path);
}
