/** A JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [member: string]: JsonValue };

/** A test vector for verifying a chain of receipts: input and expected faults. docs/custody.md describes each member. */
export interface ReceiptVector<Chain = JsonValue, IssuerKeys = JsonValue> {
  id: string;
  /** What it tests, in a sentence. */
  shows: string;
  /** The issuer's keys, as published. */
  issuer_keys: IssuerKeys;
  /** The response of GetCustodyChain. */
  chain: Chain;
  /** The chain that this one continues, if the verifier has it. */
  continued?: Chain;
  /** All faults, each once. `link` is null if a fault concerns no link. */
  expected: { code: string; link: number | null }[];
  /** The statement's time, in ms; null if there is no valid statement of the issuer. */
  as_of_ms: number | null;
}
