/**
 * Credentials that open doors and sign requests: request tokens, access tokens, PINs, presence proofs, receipts, certificates, signed hand-over lists and trust bundles. No I/O; runs in Node and
 * in browsers. Specification: docs/credentials.md, docs/custody.md and docs/handover.md.
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
export {
  type CertifiedKind,
  fingerprintOfRoot,
  judgeKeyStatement,
  type KeyStatement,
  type KeyStatementType,
  newSerial,
  type StatementFault,
  signKeyStatement,
  statementFaults,
  statementMaxLength,
  statementMaxLifetimeS,
} from "./certificate/certificate.ts";
export {
  type Choice,
  type ChoiceFault,
  type ChosenParcel,
  choiceLifetimeMs,
  choiceMaxLength,
  choiceType,
  signChoice,
} from "./choice/choice.ts";
export { type ChoiceToVerify, type VerifyChoiceOptions, verifyChoice } from "./choice/verify-choice.ts";
export {
  type CommandOrder,
  type CommandSigning,
  type CommandTimes,
  commandApprovalType,
  commandIdOf,
  commandKeyText,
  commandKeyType,
  commandLifetimeMs,
  commandText,
  commandType,
  doorCommandLifetimeMs,
  firstKeyLifetimeMs,
  verifyCommand,
  verifyCommandKey,
} from "./command/command-statement.ts";
export {
  type CommandRefusal,
  commandDeadlineMs,
  commandLeewayMs,
  commandRefusals,
  type JudgeCommandInput,
  judgeCommand,
  judgeCommandTimes,
} from "./command/judge-command.ts";
export { compareWithSite, type HandoverComparison } from "./handover/compare.ts";
export { type CourierCode, courierCode, courierCodePrefix, readCourierCode } from "./handover/courier-code.ts";
export {
  type CourierKey,
  certificateMisfit,
  type DriverCertificate,
  type DriverCertificateFault,
  driverCertificateMaxLifetimeS,
  judgeDriverCertificate,
  readDriverCertificate,
  signDriverCertificate,
} from "./handover/driver-certificate.ts";
export {
  type HandoverExpectations,
  type HandoverFault,
  type HandoverReceipt,
  handoverFaults,
  type JudgedHandover,
  judgeCourierCode,
  judgeHandover,
  judgeSiteStatement,
} from "./handover/judge-handover.ts";
export {
  type HandoverCondition,
  type HandoverDirection,
  type HandoverEntry,
  type HandoverList,
  type HandoverParcel,
  type HandoverReason,
  handoverListHash,
  handoverListText,
  handoverMaxEntries,
  handoverReasons,
  inHandoverOrder,
  newHandoverNonce,
  readHandoverList,
} from "./handover/list.ts";
export {
  courierKeyIdIn,
  type HandoverProofExpectations,
  handoverProof,
  handoverProofMaxLength,
  handoverSignatures,
  isHandoverProof,
  judgeHandoverSignatures,
  type ParcelToProve,
  type ProvenHandover,
  statementIn,
} from "./handover/proof.ts";
export {
  type HandoverException,
  type HandoverMarks,
  handoverCodeMaxLength,
  readSiteCode,
  type SiteCode,
  signSiteStatement,
  siteCode,
} from "./handover/site-code.ts";
export { type HandoverStatement, parcelsIn, readSiteStatement, type SignedStatement } from "./handover/statement.ts";
export {
  type EnrolmentProofFault,
  enrolmentIdOf,
  enrolmentProofType,
  judgeEnrolment,
  signEnrolment,
} from "./key-possession/enrolment.ts";
export {
  judgeKeyPossession,
  type KeyPossessionFault,
  type KeyRegistration,
  keyPossessionType,
  signKeyPossession,
} from "./key-possession/key-possession.ts";
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
export { verifyText } from "./keys/verify-text.ts";
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
export { holderPresence, type PresentHolder, verifyHolderPresence } from "./receipts/holder-presence.ts";
export { type ReadReceipt, readReceipt } from "./receipts/read-receipt.ts";
export { receiptOf, signReceipt } from "./receipts/receipt.ts";
export { claimsOf, type ReceiptClaims, type UnsignedReceipt } from "./receipts/receipt-claims.ts";
export {
  type ReportClaims,
  reportChainStart,
  reportClaims,
  reportHash,
  reportHashInput,
  reportJws,
  reportText,
  verifyReport,
} from "./receipts/report-statement.ts";
export {
  type ChainVerdict,
  type VerifyChainOptions,
  verifyChain,
} from "./receipts/verify-chain.ts";
export {
  type JudgeRequestProofInput,
  judgeRequestProof,
  type RequestProofFault,
  type RequestProofJudgement,
  requestProofFaults,
} from "./request-proof/judge-request-proof.ts";
export {
  type ProvenCall,
  type RequestProofInput,
  requestProofLeewayMs,
  requestProofLifetimeMs,
  requestProofType,
  signRequestProof,
} from "./request-proof/request-proof.ts";
export {
  type RequestTokenInput,
  requestTokenLifetimeMs,
  requestTokenMaxLifetimeMs,
  requestTokenType,
  signRequestToken,
  tokenAlgorithm,
} from "./request-token/request-token.ts";
export {
  type CertifiedTrust,
  certifiedTrust,
  revocationsMax,
  revokedIssuerKeys,
  withoutRevoked,
} from "./trust-bundle/certified-trust.ts";
export {
  type CreateTrustBundleInput,
  createTrustBundle,
  findIssuerKey,
  isBundleExpired,
  limitTimes,
  limitTrust,
  supersedes,
  trustBundleLifetimeMs,
} from "./trust-bundle/trust-bundle.ts";
