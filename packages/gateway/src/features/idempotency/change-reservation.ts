import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Changer, isParty, mayChange, type Transition } from "@petak/lifecycle";
import { PetakError, parseReservationId, type Reservation } from "@petak/protocol";
import { type Allocator, type Answer, type FiledSite, reservationNotFound, siteNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReceiptFacts, Receipts } from "../receipts/receipts.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** A change of a reservation by one of its parties. */
export interface Change {
  caller: ParticipantCaller;
  requestId: string;
  reservationId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  changer: Changer;
  /** The transition for the reservation as it stands, and the answer to remember. It may be asked for again, where the reservation has changed. */
  plan(before: Reservation, filed: FiledSite, attempt: number): Promise<PlannedChange>;
}

/** A request that names the one reservation it is about. */
export type ChangeRequest = Pick<Change, "requestId" | "reservationId">;

/** A change by such a request. */
export type ChangeByRequest = Pick<Change, "caller" | "changer" | "plan">;

/** A transition by a request, and its answer. */
export interface PlannedChange {
  transition: Transition;
  /** The answer; where it tells of the reservation as written, with its receipt, or of that receipt, it is made of these. */
  answer: Uint8Array | ((written: Pick<Transition, "after" | "events">) => Uint8Array | Promise<Uint8Array>);
  /** What a receipt says beside. */
  receipt?: ReceiptFacts;
}

/** Reads and changes reservations for those who may. */
export interface ReservationChanges {
  /** A reservation to which the caller is a party. To anybody else it does not exist: RESERVATION_NOT_FOUND. */
  findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation>;
  /** Throws RESERVATION_NOT_FOUND where the caller may not make a change. */
  refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void;
  /** Makes a change once, whatever comes in between, and gives its answer; a repetition gets the answer of the first. */
  change(change: Change): Promise<Uint8Array>;
  /** The same by a request that names its reservation. */
  changeBy<Desc extends DescMessage>(
    schema: Desc,
    request: MessageShape<Desc> & ChangeRequest,
    change: ChangeByRequest,
  ): Promise<Uint8Array>;
}

/** How often a change starts anew when what it read has changed before it could write. */
const maxAttempts = 5;

/** Changes reservations in the allocator's records. */
export function createReservationChanges(allocator: Allocator, receipts: Receipts): ReservationChanges {
  async function findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation> {
    const reservation = await allocator.reservations.find(reservationId);
    if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(reservationId);
    return reservation;
  }

  function refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void {
    if (!mayChange(reservation, caller, changer)) throw reservationNotFound(reservation.reservationId);
  }

  const changes: ReservationChanges = {
    findOwn,
    refuseOthers,
    changeBy(schema, request, change) {
      const { requestId, reservationId } = request;
      return changes.change({ ...change, requestId, reservationId, fingerprint: fingerprintOf(schema, request) });
    },
    async change({ caller, requestId, reservationId, fingerprint, changer, plan }) {
      const { participantId } = caller;
      const region = parseReservationId(reservationId)?.region ?? "";
      // All three go to the server together, in this order: whoever has just moved the reservation for the same request wrote the answer in the
      // same instant, so it must not be looked for earlier. What ties the request id is there before anything is written in either case.
      const claiming = allocator.requestIds.claim(participantId, requestId, fingerprint);
      const read = () =>
        Promise.allSettled([findOwn(reservationId, caller), allocator.requestIds.recall(region, participantId, requestId, fingerprint)]);
      let reading = read();
      await Promise.allSettled([claiming, reading]);
      await claiming;
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        if (attempt > 0) reading = read();
        const [found, recalled] = await reading;
        const before = settled(found);
        refuseOthers(before, caller, changer);
        const known = settled(recalled);
        if (known !== undefined) return known;
        const filed = await allocator.sites.filed(before.siteId);
        if (filed === undefined) throw siteNotFound(before.siteId);
        const { transition: bare, answer: planned, receipt } = await plan(before, filed, attempt);
        const transition = await receipts.attach(before, bare, receipt);
        if (transition !== bare && typeof planned !== "function") throw new TypeError("an answer was made before its receipt");
        const answer = typeof planned === "function" ? await planned(transition) : planned;
        const outcome = await allocator.reservations.apply({
          ...transition,
          site: filed,
          answer: { participantId, requestId, fingerprint, bytes: answer } satisfies Answer,
        });
        if (outcome.tag === "done") return answer;
        if (outcome.tag === "repeated") return outcome.answer;
      }
      throw new PetakError("CONFLICT", `reservation ${reservationId} was changed concurrently too often; send the same request again`, {
        metadata: { reservation_id: reservationId },
      });
    },
  };
  return changes;
}

/** What a settled promise has come to, as if it had been awaited. */
function settled<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
