import type { ProofOutcome } from "./proof-vector.ts";

/** A signature of a command. */
export interface VectorCommandSignature {
  key_id: string;
  issued_at_ms: number;
  expires_at_ms: number;
  /** 64 bytes. */
  signature: string;
}

/** A command that reaches a device, and whether the device obeys it. docs/credentials.md specifies both. Bytes are in base64url. */
export interface CommandVector {
  id: string;
  shows: string;
  command: {
    command_id: string;
    site_id: string;
    request_id: string;
    type: string;
    compartment_id: string;
    reason: string;
    signature: VectorCommandSignature;
    second_signature: VectorCommandSignature | null;
  };
  /** The device's site. */
  site_id: string;
  /** The keys that the device trusts to sign commands. */
  keys: { key_id: string; public_key: string }[];
  now_ms: number;
  /** The device's doors, all closed, and whether there is a parcel behind each. */
  doors: { compartment_id: string; occupied: boolean }[];
  expected: ProofOutcome;
}
