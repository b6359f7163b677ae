import { expect, test } from "vitest";
import {
  readCertificateVectors,
  readCommandVectors,
  readCredentialVectors,
  readHandoverCodeVectors,
  readHandoverVectors,
  readPossessionVectors,
  readProofVectors,
  readReceiptVectors,
} from "./published.ts";

test.each([
  ["credentials", readCredentialVectors],
  ["receipts", readReceiptVectors],
  ["proofs of calls", readProofVectors],
  ["possession proofs", readPossessionVectors],
  ["certificates", readCertificateVectors],
  ["commands", readCommandVectors],
  ["hand-overs", readHandoverVectors],
  ["codes of sites", readHandoverCodeVectors],
])("the published vectors for %s have unique ids", async (_subject, readVectors) => {
  const vectors: readonly { id: string }[] = await readVectors();
  expect(vectors.length).toBeGreaterThan(0);
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
});
