import type { CertificateVector } from "./certificate-vector.ts";
import type { CommandVector } from "./command-vector.ts";
import type { CredentialOutcome, CredentialVector } from "./credential-vector.ts";
import type { HandoverCodeOutcome, HandoverCodeVector, HandoverVector } from "./handover-vector.ts";
import type { PossessionVector, ProofOutcome, ProofVector } from "./proof-vector.ts";
import type { ReceiptVector } from "./receipt-vector.ts";

/** The expected and the actual result. The implementation conforms if they are deeply equal. */
export interface Verdict<Outcome> {
  readonly expected: Outcome;
  readonly found: Outcome;
}

/** Result of verifying a chain of receipts. */
export interface ChainFinding {
  /** Its faults, in any order; duplicates are allowed. `link` is null or undefined if a fault concerns no link. */
  readonly faults: readonly { readonly code: string; readonly link?: number | null }[];
  /** The time of the issuer's statement, in ms; null if there is no valid one. */
  readonly asOfMs: number | null;
}

/** Compares a decision at the door with a vector. @param decide the implementation's decision in the situation of the vector */
export async function judgeCredential(
  vector: CredentialVector,
  decide: (vector: CredentialVector) => Promise<CredentialOutcome>,
): Promise<Verdict<CredentialOutcome>> {
  return { expected: vector.expected, found: await decide(vector) };
}

/** Compares the verification of a chain with a vector. @param verify the implementation's verification of the vector's chain */
export async function judgeReceipts(
  vector: ReceiptVector,
  verify: (vector: ReceiptVector) => Promise<ChainFinding>,
): Promise<Verdict<{ faults: string[]; asOfMs: number | null }>> {
  const { faults, asOfMs } = await verify(vector);
  return { expected: { faults: inShort(vector.expected), asOfMs: vector.as_of_ms }, found: { faults: inShort(faults), asOfMs } };
}

/** Compares the judgement of a proof of a call, of a possession proof, of a certificate, of a command, or of a hand-over with a vector. @param judge the implementation's judgement */
export async function judgeProof<Vector extends ProofVector | PossessionVector | CertificateVector | CommandVector | HandoverVector>(
  vector: Vector,
  judge: (vector: Vector) => Promise<ProofOutcome>,
): Promise<Verdict<ProofOutcome>> {
  return { expected: vector.expected, found: await judge(vector) };
}

/** Compares what a courier finds in a site's code with a vector. @param compare the implementation's comparison */
export async function judgeSiteCode(
  vector: HandoverCodeVector,
  compare: (vector: HandoverCodeVector) => Promise<HandoverCodeOutcome>,
): Promise<Verdict<HandoverCodeOutcome>> {
  return { expected: vector.expected, found: await compare(vector) };
}

/** The distinct faults in a canonical order. */
function inShort(faults: ChainFinding["faults"]): string[] {
  return [...new Set(faults.map(({ code, link }) => `${code} ${link ?? "-"}`))].sort();
}
