import { compactText } from "../jws/sign-compact.ts";
import type { Ed25519PrivateJwk } from "../keys/private-jwk.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { signText } from "./signed-text.ts";

/** The `typ` of a countersignature's statement. */
export const countersignatureType = "petak-countersignature";

export interface CountersignatureInput {
  /** The participant's registered key. */
  readonly keyId: string;
  readonly participantId: string;
  /** The receipt's hash in the chain. */
  readonly receiptHash: string;
}

/** The text that a participant signs to countersign a receipt: header and claims of a compact JWS. */
export function countersignatureText({ keyId, participantId, receiptHash }: CountersignatureInput): string {
  return compactText(
    { alg: tokenAlgorithm, typ: countersignatureType, kid: keyId },
    { version: 1, receipt: receiptHash, participant_id: participantId },
  );
}

/** Countersigns a receipt: 64 bytes. */
export function signCountersignature(privateJwk: Ed25519PrivateJwk, input: CountersignatureInput): Promise<Uint8Array<ArrayBuffer>> {
  return signText(privateJwk, countersignatureText(input));
}
