/** Hashes of a report by its number, not chained. */
export function reportHashes(sequence: number) {
  return { hash: new Uint8Array(32).fill(sequence), previousHash: new Uint8Array(), fence: { nonce: new Uint8Array(), inChargeKeyId: "" } };
}
