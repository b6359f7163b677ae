import { randomUUID } from "node:crypto";
import { countersignatureText, type IssuerKeyPeriod, readIssuerKeySet, verifyChain } from "@petak/credential";
import type { GetCustodyChainResponse, Receipt } from "@petak/protocol";
import type { TestParticipant } from "@petak/testkit/network";
import { expect } from "vitest";

/** The issuer's keys as a gateway publishes them. */
export async function publishedIssuerKeys(baseUrl: string): Promise<IssuerKeyPeriod[]> {
  const answer = await fetch(`${baseUrl}/.well-known/petak/issuer-keys.json`);
  return await readIssuerKeySet(await answer.json());
}

/** The chain of a reservation. Expects it to be valid, and stated to be complete as of now. */
export async function expectTrueChain(
  { client }: Pick<TestParticipant, "client">,
  reservationId: string,
  issuerKeys: readonly IssuerKeyPeriod[],
): Promise<GetCustodyChainResponse> {
  const chain = await client.custody.getCustodyChain({ reservationId });
  const { faults, links, statement } = await verifyChain(chain, { issuerKeys });
  expect(faults).toEqual([]);
  expect(statement).toMatchObject({ receipts: chain.receipts.length, first_event: 1, events: chain.events.length });
  expect(links.map(({ number }) => number)).toEqual(chain.receipts.map((_, index) => index + 1));
  return chain;
}

/** Adds a participant's signature to a receipt. */
export async function countersign(
  { participantId, signer, client }: TestParticipant,
  reservationId: string,
  { number, hash }: Receipt,
): Promise<Receipt | undefined> {
  const { keyId } = signer;
  const signature = await signer.sign(countersignatureText({ keyId, participantId, receiptHash: hash }));
  return (await client.custody.countersignReceipt({ requestId: randomUUID(), reservationId, number, receiptHash: hash, keyId, signature }))
    .receipt;
}
