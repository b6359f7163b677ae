import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { signCompact } from "../jws/sign-compact.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** The `typ` of a proof, as in RFC 9449. */
export const requestProofType = "dpop+jwt";

/** How long after its `iat` a proof is accepted, in ms. */
export const requestProofLifetimeMs = 60_000;

/** How far the signer's clock may be ahead of the gateway's, in ms: a proof is accepted this long before its `iat`. */
export const requestProofLeewayMs = 30_000;

/** One call, as a proof names it. */
export interface ProvenCall {
  /** The call's URL, without query and fragment. Gateways compare the end of its path: service and method. */
  url: string;
  /** The call's request token, without `Bearer`. */
  requestToken: string;
  /** The bytes of the request message as sent: before compression, without an envelope. In JSON the body. */
  message: Uint8Array;
  /** The `request_id` of the message. Undefined if the message has no such field. */
  requestId: string | undefined;
}

/** Options of {@link signRequestProof}. */
export interface RequestProofInput extends ProvenCall {
  /** The key that signed the request token, and its id. */
  privateKey: SigningKey;
  keyId: string;
  /** The signer's clock, in ms. `iat` is the whole second. */
  issuedAtMs: number;
  /** `jti`: 16 to 64 letters of base64url, never used before with this key. Default: 128 random bits. */
  proofId?: string;
}

/** Signs the proof that the holder of the key makes this one call: a compact JWS for the header `DPoP`. */
export async function signRequestProof(input: RequestProofInput): Promise<string> {
  const { privateKey, keyId, url, requestToken, message, requestId, issuedAtMs, proofId = newProofId() } = input;
  const claims = {
    jti: proofId,
    htm: "POST",
    htu: url,
    iat: Math.floor(issuedAtMs / 1000),
    ath: await requestTokenHash(requestToken),
    ...(requestId === undefined ? {} : { request_id: requestId }),
    message_sha256: await messageHash(message),
  };
  return signCompact(privateKey, { typ: requestProofType, alg: tokenAlgorithm, kid: keyId }, claims);
}

/** `ath`: SHA-256 of a request token, in base64url. */
export async function requestTokenHash(requestToken: string): Promise<string> {
  return encodeBase64url(await sha256(requestToken));
}

/** `message_sha256`: SHA-256 of a message's bytes, in base64url. */
export async function messageHash(message: Uint8Array): Promise<string> {
  return encodeBase64url(await sha256(message as Bytes));
}

function newProofId(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}
