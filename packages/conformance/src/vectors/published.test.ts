import { expect, test } from "vitest";
import { readCredentialVectors, readReceiptVectors } from "./published.ts";

test.each([
  ["credentials", readCredentialVectors],
  ["receipts", readReceiptVectors],
])("the published vectors for %s have unique ids", async (_subject, readVectors) => {
  const vectors: readonly { id: string }[] = await readVectors();
  expect(vectors.length).toBeGreaterThan(0);
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
});
