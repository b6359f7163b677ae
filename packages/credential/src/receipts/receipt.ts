import { create } from "@bufbuild/protobuf";
import { type Event, type EventReceipt, EventReceiptSchema, type Receipt, ReceiptSchema } from "@petak/protocol";
import { encodeBase64url } from "../bytes/base64url.ts";
import { compactText } from "../jws/sign-compact.ts";
import type { IssuerKeyPair } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { claimsOf, type UnsignedReceipt } from "./receipt-claims.ts";
import { hashText, signText } from "./signed-text.ts";

/** The `typ` of a receipt, so that an issuer's tokens and receipts cannot be mistaken for one another (RFC 8725 §3.11). */
export const receiptType = "petak-receipt";

/**
 * Signs the receipt of an event. Returns the receipt and the part of it that is stored in the event. The same input gives the same receipt.
 *
 * @throws {RangeError} if events of this kind have no receipt.
 */
export async function signReceipt(
  event: Event,
  facts: Omit<UnsignedReceipt, "issuerKeyId">,
  issuerKey: Pick<IssuerKeyPair, "keyId" | "privateJwk">,
): Promise<{ eventReceipt: EventReceipt; receipt: Receipt }> {
  const unsigned = { ...facts, issuerKeyId: issuerKey.keyId };
  const signature = await signText(issuerKey.privateJwk, signedText(event, unsigned));
  const eventReceipt = create(EventReceiptSchema, { ...unsigned, signature });
  return { eventReceipt, receipt: await receiptOf(event, eventReceipt) };
}

/**
 * Rebuilds the receipt of an event from the part stored in it, byte for byte as it was signed when the event was recorded.
 *
 * @throws {RangeError} if events of this kind have no receipt.
 */
export async function receiptOf(event: Event, eventReceipt: EventReceipt): Promise<Receipt> {
  const jws = `${signedText(event, eventReceipt)}.${encodeBase64url(eventReceipt.signature)}`;
  return create(ReceiptSchema, { number: eventReceipt.number, hash: await hashText(jws), jws });
}

function signedText(event: Event, receipt: UnsignedReceipt): string {
  return compactText({ alg: tokenAlgorithm, typ: receiptType, kid: receipt.issuerKeyId }, claimsOf(event, receipt));
}
