/**
 * What an implementation of the protocol is held against: the test vectors, and the runner that judges an implementation by them. It imports
 * nothing of the implementation that it judges, and nothing of Node.
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
