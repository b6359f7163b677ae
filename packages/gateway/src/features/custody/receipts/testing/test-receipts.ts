import { generateIssuerKey } from "@petak/credential";
import { createReceipts, type Receipts } from "../receipts.ts";

/** Receipts signed by a new issuer key that is in force from the beginning. */
export async function testReceipts(): Promise<Receipts> {
  const key = await generateIssuerKey();
  return createReceipts({ issuerEpochs: () => [{ key, announcedAtMs: 0, signsFromMs: 0 }] });
}
