/**
 * Credentials that open doors and sign requests: request tokens, access tokens, PINs, presence proofs, receipts and trust bundles. No I/O; runs in Node and
 * in browsers. Specification: docs/credentials.md and docs/custody.md.
 */
export {
  type AccessTokenClaims,
  accessTokenMaxLength,
  accessTokenMaxLifetimeMs,
  accessTokenTypes,
  type ClaimsToWrite,
  delegateTokenType,
} from "./access-token/claims.ts";
export {
  type AccessTokenJudgement,
  defaultMaxSkewMs,
  type JudgeAccessTokenInput,
  judgeAccessToken,
  readOwnToken,
} from "./access-token/judge.ts";
export { type MintAccessTokenInput, mintAccessToken } from "./access-token/mint.ts";
export { type AccessTokenRefusal, accessTokenRefusals } from "./access-token/refusals.ts";
export { deriveTokenId, newTokenId } from "./access-token/token-id.ts";
export { decodeBase64url, encodeBase64url } from "./bytes/base64url.ts";
export type { Bytes } from "./bytes/bytes.ts";
export { equalInConstantTime } from "./bytes/constant-time.ts";
export { credentialHash } from "./bytes/digest.ts";
export { type Ed25519KeyPair, generateKeyPair, signEd25519, verifyEd25519 } from "./keys/ed25519.ts";
export {
  generateIssuerKey,
  type IssuerJwk,
  type IssuerKeyPair,
  type IssuerPublicKey,
  issuerKeyFrom,
  issuerKeyId,
  type Jwks,
  toJwks,
} from "./keys/issuer-key.ts";
export {
  type IssuerKeyPeriod,
  type PublishedIssuerKey,
  readIssuerKeySet,
  toIssuerKeySet,
} from "./keys/issuer-key-set.ts";
export { isLowOrderPoint } from "./keys/low-order.ts";
export { type Ed25519PrivateJwk, publicKeyOf } from "./keys/private-jwk.ts";
export { type CryptoKey, checkSigningKey, type SigningKey } from "./keys/signing-key.ts";
export { generatePin, hashPin, isPin, newPinKey, pinLength } from "./pin/pin.ts";
export { challengeLifetimeMs, newChallenge } from "./presence/challenge.ts";
export { holderKeyHash } from "./presence/holder-key.ts";
export { judgePresence, type Presence, type ProvePresenceInput, presenceLength, provePresence, readPresence } from "./presence/presence.ts";
export { type PresenceRefusal, presenceRefusals } from "./presence/refusals.ts";
export { type ChainFault, type ChainFaultCode, chainFaults } from "./receipts/chain-faults.ts";
export type { ChainLink } from "./receipts/chain-link.ts";
export { type ChainStatementClaims, type StandingChain, signChainStatement } from "./receipts/chain-statement.ts";
export { type CountersignatureInput, countersignatureText, signCountersignature } from "./receipts/countersignature.ts";
export { type HandOver, handOverOf, handOvers, partyOn } from "./receipts/hand-overs.ts";
export { type ReadReceipt, readReceipt } from "./receipts/read-receipt.ts";
export { receiptOf, signReceipt } from "./receipts/receipt.ts";
export { claimsOf, type ReceiptClaims, type UnsignedReceipt } from "./receipts/receipt-claims.ts";
export { type ReportClaims, reportClaims, reportText, verifyReport } from "./receipts/report-statement.ts";
export { verifyText } from "./receipts/signed-text.ts";
export {
  type ChainVerdict,
  type VerifyChainOptions,
  verifyChain,
} from "./receipts/verify-chain.ts";
export {
  type RequestTokenInput,
  requestTokenLifetimeMs,
  requestTokenMaxLifetimeMs,
  requestTokenType,
  signRequestToken,
  tokenAlgorithm,
} from "./request-token/request-token.ts";
export { type CreateTrustBundleInput, createTrustBundle, findIssuerKey, isBundleExpired, supersedes } from "./trust-bundle/trust-bundle.ts";
