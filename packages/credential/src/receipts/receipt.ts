import { create } from "@bufbuild/protobuf";
import { type Event, type EventReceipt, EventReceiptSchema, type Receipt, ReceiptSchema } from "@petak/protocol";
import { encodeBase64url } from "../bytes/base64url.ts";
import { compactText } from "../jws/sign-compact.ts";
import type { IssuerKeyPair } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { claimsOf, type UnsignedReceipt } from "./receipt-claims.ts";
import { hashText, signText } from "./signed-text.ts";

/** The `typ` of a receipt, so that no token that an issuer signed passes for one, nor a receipt for a token (RFC 8725 §3.11). */
export const receiptType = "petak-receipt";

/**
 * Makes the receipt of an event: what goes into the event, and the receipt itself. The same input gives the same receipt.
 *
 * @throws {RangeError} where no receipt is made of such an event.
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
 * The receipt of an event that has what makes one. It is the one that was signed when the event was recorded, bit for bit.
 *
 * @throws {RangeError} where no receipt is made of such an event.
 */
export async function receiptOf(event: Event, eventReceipt: EventReceipt): Promise<Receipt> {
  const jws = `${signedText(event, eventReceipt)}.${encodeBase64url(eventReceipt.signature)}`;
  return create(ReceiptSchema, { number: eventReceipt.number, hash: await hashText(jws), jws });
}

function signedText(event: Event, receipt: UnsignedReceipt): string {
  return compactText({ alg: tokenAlgorithm, typ: receiptType, kid: receipt.issuerKeyId }, claimsOf(event, receipt));
}
