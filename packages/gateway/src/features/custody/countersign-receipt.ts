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
  type EventReceipt,
  EventType,
  PartyKind,
  PetakError,
  type Receipt,
  type Reservation,
} from "@petak/protocol";
import type { Allocator } from "@petak/records";
import type { KeyDirectory, ParticipantCaller } from "../../identity/index.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import type { Receipts } from "../receipts/receipts.ts";

/** What countersigning needs. */
export interface CountersignDependencies {
  allocator: Allocator;
  /** Where participants' keys are found. */
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  now: () => number;
}

/** Makes what adds the signature of who gave or received a parcel: as a link at the end of the chain, since no link ever changes. */
export function createCountersign({ allocator, keys, receipts, now }: CountersignDependencies) {
  const { changeBy } = createReservationChanges(allocator, receipts);

  return async (request: CountersignReceiptRequest, caller: ParticipantCaller): Promise<CountersignReceiptResponse> => {
    const answer = await changeBy(CountersignReceiptRequestSchema, request, {
      caller,
      changer: "owner or operator",
      plan: async (before) => {
        const countersignature = await check(request, caller, before);
        return {
          transition: amend(before, {}, { type: EventType.RECEIPT_COUNTERSIGNED, actor: participantParty(caller) }, now()),
          receipt: { countersignature },
          answer: async ({ events }) => toBinary(CountersignReceiptResponseSchema, await responseOf(events)),
        };
      },
    });
    return fromBinary(CountersignReceiptResponseSchema, answer);
  };

  /** The countersignature, where it is one: of the caller, by a good key of its own, under a receipt of a hand-over that it was a party to. */
  async function check(request: CountersignReceiptRequest, caller: ParticipantCaller, before: Reservation): Promise<Countersignature> {
    const { reservationId, number, receiptHash, keyId, signature } = request;
    const { participantId } = caller;
    const about = { reservation_id: reservationId, number: String(number), subject: reservationId };
    const links = (await allocator.events.chain(reservationId)).filter(hasReceipt);
    const link = links.find(({ receipt }) => receipt.number === number);
    if (link === undefined) throw receiptNotFound(before, number);
    const { givenBy, receivedBy } = link.receipt;
    if (![givenBy, receivedBy].some((party) => party?.kind === PartyKind.PARTICIPANT && party.participantId === participantId)) {
      const act = handOverOf(link)?.act ?? "";
      throw new PetakError(
        "NOT_PARTY_TO_HAND_OVER",
        `'${participantId}' neither gave nor received the parcel of receipt ${number} (${act})`,
        {
          metadata: { ...about, act },
        },
      );
    }
    const earlier = links.find(
      ({ actor, receipt }) => receipt.countersignature?.number === number && actor?.participantId === participantId,
    )?.receipt;
    if (earlier !== undefined) {
      throw new PetakError(
        "ALREADY_COUNTERSIGNED",
        `'${participantId}' has countersigned receipt ${number} before, in receipt ${earlier.number}`,
        {
          metadata: { ...about, countersigned_in: String(earlier.number) },
        },
      );
    }
    const { hash } = await receiptOf(link, link.receipt);
    const refuse = (why: string) =>
      new PetakError("COUNTERSIGNATURE_INVALID", `receipt ${number} of ${reservationId} was not countersigned: ${why}`, {
        metadata: { ...about, receipt_hash: hash, key_id: keyId },
      });
    if (receiptHash !== hash) throw refuse(`its hash is ${hash}, not ${receiptHash}`);
    const key = await keys.findKey(keyId);
    const isOwn = key?.participantId === participantId && key.mode === caller.mode && key.siteId === undefined;
    if (key === undefined || !isOwn) throw refuse(`'${keyId}' is not a key of '${participantId}' for this network`);
    if (key.revokedAtMs !== undefined) throw refuse(`'${keyId}' was revoked`);
    if (!(await verifyText(key.publicKey, signature, countersignatureText({ keyId, participantId, receiptHash })))) {
      throw refuse(`the signature over the receipt's statement does not verify with '${keyId}'`);
    }
    return create(CountersignatureSchema, { number, receiptHash, keyId, publicKey: key.publicKey, signature });
  }
}

/** The receipts of events, in the order of their chain. */
export async function receiptsOf(events: readonly Event[]): Promise<Receipt[]> {
  return await Promise.all(events.filter(hasReceipt).map((event) => receiptOf(event, event.receipt)));
}

async function responseOf(events: readonly Event[]): Promise<CountersignReceiptResponse> {
  const [receipt] = await receiptsOf(events);
  if (receipt === undefined) throw new TypeError("a countersignature without a receipt");
  return create(CountersignReceiptResponseSchema, { receipt });
}

function hasReceipt(event: Event): event is Event & { receipt: EventReceipt } {
  return event.receipt !== undefined;
}

function receiptNotFound({ reservationId, chain }: Reservation, number: number): PetakError {
  const length = chain?.length ?? 0;
  return new PetakError("RECEIPT_NOT_FOUND", `reservation ${reservationId} has no receipt ${number}; it has ${length} receipts`, {
    metadata: { reservation_id: reservationId, number: String(number), length: String(length), subject: reservationId },
  });
}
