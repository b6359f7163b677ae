/**
 * The test vectors of the protocol, and functions that compare an implementation with them. Imports neither the implementation nor Node.
 */
export type { CertificateVector } from "./vectors/certificate-vector.ts";
export type { CommandVector, VectorCommandSignature } from "./vectors/command-vector.ts";
export type {
  CredentialOutcome,
  CredentialVector,
  VectorBundle,
  VectorLockOut,
  VectorState,
  VectorVisit,
} from "./vectors/credential-vector.ts";
export type { HandoverCodeOutcome, HandoverCodeVector, HandoverVector, HandoverVectorParcel } from "./vectors/handover-vector.ts";
export { type ChainFinding, judgeCredential, judgeProof, judgeReceipts, judgeSiteCode, type Verdict } from "./vectors/judge.ts";
export type { PossessionVector, ProofOutcome, ProofVector } from "./vectors/proof-vector.ts";
export type { JsonValue, ReceiptVector } from "./vectors/receipt-vector.ts";
