import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { countersignatureText, handOverOf, receiptOf, verifyText } from "@petak/credential";
import { amend, participantParty } from "@petak/lifecycle";
import {
  type Countersignature,
  CountersignatureSchema,
  type CountersignReceiptRequest,
  CountersignReceiptRequestSchema,
  type CountersignReceiptResponse,
  CountersignReceiptResponseSchema,
  type Event,
  EventType,
  PartyKind,
  PetakError,
  type Reservation,
} from "@petak/protocol";
import type { EventStream } from "@petak/records";
import type { KeyDirectory, ParticipantCaller } from "../../identity/index.ts";
import type { ReservationChanges } from "../idempotency/change-reservation.ts";
import { type EventWithReceipt, hasReceipt, receiptsOf } from "./receipts/receipts-of.ts";

export interface CountersignReceiptDependencies {
  changes: Pick<ReservationChanges, "changeBy">;
  events: Pick<EventStream, "chain">;
  keys: Pick<KeyDirectory, "findKey">;
  now: () => number;
}

/** Appends the signature of a party to a hand-over to the chain, as another link. Recorded links never change. */
export async function countersignReceipt(
  dependencies: CountersignReceiptDependencies,
  request: CountersignReceiptRequest,
  caller: ParticipantCaller,
): Promise<CountersignReceiptResponse> {
  const { changes, events, keys, now } = dependencies;
  const stored = await changes.changeBy(CountersignReceiptRequestSchema, request, {
    caller,
    changer: "owner or operator",
    plan: async (before) => {
      const links = (await events.chain(request.reservationId)).filter(hasReceipt);
      const link = linkToSign(request, caller, before, links);
      const countersignature = await verified(request, caller, link, keys);
      return {
        transition: amend(before, {}, { type: EventType.RECEIPT_COUNTERSIGNED, actor: participantParty(caller) }, now()),
        receipt: { countersignature },
        response: async ({ events: written }) => toBinary(CountersignReceiptResponseSchema, await responseOf(written)),
      };
    },
  });
  return fromBinary(CountersignReceiptResponseSchema, stored);
}

/** Finds the link to countersign. Throws if it does not exist, or if the caller was not a party to the hand-over or has countersigned it before. */
function linkToSign(
  { number }: CountersignReceiptRequest,
  { participantId }: ParticipantCaller,
  before: Reservation,
  links: readonly EventWithReceipt[],
): EventWithReceipt {
  const link = links.find(({ receipt }) => receipt.number === number);
  if (link === undefined) throw receiptNotFound(before, number);
  const about = { reservation_id: before.reservationId, number: String(number), subject: before.reservationId };
  const { givenBy, receivedBy } = link.receipt;
  if (![givenBy, receivedBy].some((party) => party?.kind === PartyKind.PARTICIPANT && party.participantId === participantId)) {
    const act = handOverOf(link)?.act ?? "";
    throw new PetakError(
      "NOT_PARTY_TO_HAND_OVER",
      `'${participantId}' neither gave nor received the parcel of receipt ${number} (${act})`,
      { metadata: { ...about, act } },
    );
  }
  const earlier = links.find(
    ({ actor, receipt }) => receipt.countersignature?.number === number && actor?.participantId === participantId,
  )?.receipt;
  if (earlier !== undefined) {
    throw new PetakError(
      "ALREADY_COUNTERSIGNED",
      `'${participantId}' has countersigned receipt ${number} before, in receipt ${earlier.number}`,
      { metadata: { ...about, countersigned_in: String(earlier.number) } },
    );
  }
  return link;
}

/** Verifies the countersignature of a link's receipt. Throws COUNTERSIGNATURE_INVALID unless a key of the caller made it. */
async function verified(
  request: CountersignReceiptRequest,
  { participantId, mode }: ParticipantCaller,
  link: EventWithReceipt,
  keys: Pick<KeyDirectory, "findKey">,
): Promise<Countersignature> {
  const { reservationId, number, receiptHash, keyId, signature } = request;
  const { hash } = await receiptOf(link, link.receipt);
  const refuse = (why: string) =>
    new PetakError("COUNTERSIGNATURE_INVALID", `receipt ${number} of ${reservationId} was not countersigned: ${why}`, {
      metadata: { reservation_id: reservationId, number: String(number), subject: reservationId, receipt_hash: hash, key_id: keyId },
    });
  if (receiptHash !== hash) throw refuse(`its hash is ${hash}, not ${receiptHash}`);
  const key = await keys.findKey(keyId);
  const isOwn = key?.participantId === participantId && key.mode === mode && key.siteId === undefined;
  if (key === undefined || !isOwn) throw refuse(`'${keyId}' is not a key of '${participantId}' for this network`);
  if (key.revokedAtMs !== undefined) throw refuse(`'${keyId}' was revoked`);
  if (!(await verifyText(key.publicKey, signature, countersignatureText({ keyId, participantId, receiptHash })))) {
    throw refuse(`the signature over the receipt's statement does not verify with '${keyId}'`);
  }
  return create(CountersignatureSchema, { number, receiptHash, keyId, publicKey: key.publicKey, signature });
}

async function responseOf(events: readonly Event[]): Promise<CountersignReceiptResponse> {
  const [receipt] = await receiptsOf(events);
  if (receipt === undefined) throw new TypeError("a countersignature without a receipt");
  return create(CountersignReceiptResponseSchema, { receipt });
}

function receiptNotFound({ reservationId, chain }: Reservation, number: number): PetakError {
  const length = chain?.length ?? 0;
  return new PetakError("RECEIPT_NOT_FOUND", `reservation ${reservationId} has no receipt ${number}; it has ${length} receipts`, {
    metadata: { reservation_id: reservationId, number: String(number), length: String(length), subject: reservationId },
  });
}
