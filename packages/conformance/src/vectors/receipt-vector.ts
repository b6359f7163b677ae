/** Any value of JSON. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [member: string]: JsonValue };

/** A test vector of a chain of receipts: what a verifier is given, and what it must find. docs/custody.md describes each member. */
export interface ReceiptVector<Chain = JsonValue, IssuerKeys = JsonValue> {
  id: string;
  /** What it shows, in a sentence. */
  shows: string;
  /** The issuer's keys as they are published. */
  issuer_keys: IssuerKeys;
  /** What GetCustodyChain answered. */
  chain: Chain;
  /** The chain that this one continues, where the verifier has it. */
  continued?: Chain;
  /** Every fault, each once. `link` is null where the fault is about no link. */
  expected: { code: string; link: number | null }[];
  /** As of when the chain stands so by the statement, in ms, where there is a statement that is the issuer's; else null. */
  as_of_ms: number | null;
}
