import type { CredentialOutcome, CredentialVector } from "./credential-vector.ts";
import type { ReceiptVector } from "./receipt-vector.ts";

/** What a vector expects, and what an implementation found. The implementation conforms where the two are equal, member by member. */
export interface Verdict<Outcome> {
  readonly expected: Outcome;
  readonly found: Outcome;
}

/** What a verifier found in a chain of receipts. */
export interface ChainFinding {
  /** Its faults, in any order; one fault may be named several times. `link` is left out, or null, where a fault is about no link. */
  readonly faults: readonly { readonly code: string; readonly link?: number | null }[];
  /** As of when the chain stands so by the issuer's statement, in ms; null where there is no such statement. */
  readonly asOfMs: number | null;
}

/** Judges a door's decision by a vector. @param decide gives what the implementation decides in the situation of the vector */
export async function judgeCredential(
  vector: CredentialVector,
  decide: (vector: CredentialVector) => Promise<CredentialOutcome>,
): Promise<Verdict<CredentialOutcome>> {
  return { expected: vector.expected, found: await decide(vector) };
}

/** Judges the verification of a chain by a vector. @param verify gives what the implementation finds in the chain of the vector */
export async function judgeReceipts(
  vector: ReceiptVector,
  verify: (vector: ReceiptVector) => Promise<ChainFinding>,
): Promise<Verdict<{ faults: string[]; asOfMs: number | null }>> {
  const { faults, asOfMs } = await verify(vector);
  return { expected: { faults: inShort(vector.expected), asOfMs: vector.as_of_ms }, found: { faults: inShort(faults), asOfMs } };
}

/** Each fault once, in an order that depends on the faults alone. */
function inShort(faults: ChainFinding["faults"]): string[] {
  return [...new Set(faults.map(({ code, link }) => `${code} ${link ?? "-"}`))].sort();
}
