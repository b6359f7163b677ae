/**
 * The test vectors of the protocol, and functions that compare an implementation with them. Imports neither the implementation nor Node.
 */
export type {
  CredentialOutcome,
  CredentialVector,
  VectorBundle,
  VectorLockOut,
  VectorState,
  VectorVisit,
} from "./vectors/credential-vector.ts";
export { type ChainFinding, judgeCredential, judgeReceipts, type Verdict } from "./vectors/judge.ts";
export type { JsonValue, ReceiptVector } from "./vectors/receipt-vector.ts";
