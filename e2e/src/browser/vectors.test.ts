import type { judgeCredential, judgeReceipts } from "@petak/conformance";
import { readCredentialVectors, readReceiptVectors } from "@petak/conformance/published";
import { beforeAll, describe, expect, it } from "vitest";
import { startPageServer } from "./page-server.ts";
import { useBrowser } from "./use-browser.ts";

const browser = useBrowser();
const credentialVectors = await readCredentialVectors();
const receiptVectors = await readReceiptVectors();
let credentials: Awaited<ReturnType<typeof judgeCredential>>[];
let receipts: Awaited<ReturnType<typeof judgeReceipts>>[];

beforeAll(async () => {
  await using server = await startPageServer();
  const page = await browser.open(server.origin);
  credentials = await page.evaluate((json) => globalThis.testPage.judgeCredentials(json), JSON.stringify(credentialVectors));
  receipts = await page.evaluate((json) => globalThis.testPage.judgeReceipts(json), JSON.stringify(receiptVectors));
});

describe("in a browser the published vectors", () => {
  it.each(credentialVectors.map(({ id, shows }, index) => ({ id, shows, index })))("of credentials: $id: $shows", ({ index }) => {
    expect(credentials[index]?.found).toEqual(credentialVectors[index]?.expected);
    expect(credentials[index]?.expected).toEqual(credentialVectors[index]?.expected);
  });

  it.each(receiptVectors.map(({ id, shows }, index) => ({ id, shows, index })))("of receipts: $id: $shows", ({ index }) => {
    expect(receipts[index]).toBeDefined();
    expect(receipts[index]?.found).toEqual(receipts[index]?.expected);
  });
});
