import { generateIssuerKey } from "@petak/credential";
import { createReceipts, type Receipts } from "../receipts.ts";

/** Receipts with an issuer's key that signs from the beginning. */
export async function testReceipts(): Promise<Receipts> {
  const key = await generateIssuerKey();
  return createReceipts({ issuerEpochs: () => [{ key, announcedAtMs: 0, signsFromMs: 0 }] });
}
