import type { ProofOutcome } from "./proof-vector.ts";

/** What both sides keep of a hand-over, and whether it is good. docs/handover.md specifies both. Keys are in base64url. */
export interface HandoverVector {
  id: string;
  shows: string;
  list: string;
  site_statement: string;
  courier_code: string;
  /** The site where it should have been. */
  site_id: string;
  /** The keys of its agents; null if the judge knows none. */
  site_keys: readonly string[] | null;
  courier_keys: readonly { courier_id: string; key_id: string; public_key: string }[];
  expected: ProofOutcome;
}

/** A site's code, the courier's parcels, and what the courier finds. */
export interface HandoverCodeVector {
  id: string;
  shows: string;
  code: string;
  parcels: readonly HandoverVectorParcel[];
  expected: HandoverCodeOutcome;
}

/** Exactly one member is not empty. */
export interface HandoverVectorParcel {
  reservation_id: string;
  label_code: string;
}

/** `list`, the site's list as both sides keep it, is null if the courier cannot find it; so is everything else where the code has a fault. */
export interface HandoverCodeOutcome {
  fault: string | null;
  list: string | null;
  missing: readonly HandoverVectorParcel[] | null;
  unknown: number | null;
}
