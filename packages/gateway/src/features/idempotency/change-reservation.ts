import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Changer, isParty, mayChange, type Transition } from "@petak/lifecycle";
import { PetakError, parseReservationId, type Reservation } from "@petak/protocol";
import {
  type FiledSite,
  type RequestIds,
  type ReservationStore,
  reservationNotFound,
  type SiteStore,
  type StoredTransition,
  siteNotFound,
  type TransitionOutcome,
} from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReceiptFacts, Receipts } from "../custody/receipts/receipts.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** A change of a reservation by one of its parties. */
export interface Change {
  caller: ParticipantCaller;
  /** UUID: the idempotency key, with the caller. */
  requestId: string;
  reservationId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  changer: Changer;
  /**
   * The transition of the reservation as it stands, and the response to store. Called again where the reservation has changed meanwhile.
   *
   * @param attempt counts the calls, from 0
   */
  plan(before: Reservation, filed: FiledSite, attempt: number): Promise<PlannedChange>;
}

/** A request that names the one reservation it is about. */
export type ChangeRequest = Pick<Change, "requestId" | "reservationId">;

/** A change by such a request. */
export type ChangeByRequest = Pick<Change, "caller" | "changer" | "plan">;

/** A transition by a request, and its response. */
export interface PlannedChange {
  transition: Transition;
  /** Response, or a function of the stored reservation and its receipt. */
  answer: Uint8Array | ((written: Pick<Transition, "after" | "events">) => Uint8Array | Promise<Uint8Array>);
  /** Further facts for the receipt. */
  receipt?: ReceiptFacts;
}

/** Reads and changes reservations for their parties. */
export interface ReservationChanges {
  /** A reservation to which the caller is a party. For anybody else it does not exist: RESERVATION_NOT_FOUND. */
  findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation>;
  /** Throws RESERVATION_NOT_FOUND where the caller may not make a change. */
  refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void;
  /** Makes a change once, retries it where the reservation changes concurrently, and returns its stored response. A repetition gets the first one. */
  change(change: Change): Promise<Uint8Array>;
  /** The same by a request that names its reservation. */
  changeBy<Desc extends DescMessage>(
    schema: Desc,
    request: MessageShape<Desc> & ChangeRequest,
    change: ChangeByRequest,
  ): Promise<Uint8Array>;
  /** Attaches the receipt that a transition needs, and writes the transition once. The outcome `stale` means that the caller must read again. */
  apply(transition: StoredTransition, receipt?: ReceiptFacts): Promise<TransitionOutcome>;
}

/** The records that a change reads and writes. */
export interface ChangedRecords {
  reservations: Pick<ReservationStore, "find" | "apply">;
  sites: Pick<SiteStore, "filed">;
  requestIds: Pick<RequestIds, "claim" | "findResponseIn">;
}

/** Changes reservations in the records: every change that a participant's request, a redirection or an agent's report makes goes through here. */
export function createReservationChanges({ reservations, sites, requestIds }: ChangedRecords, receipts: Receipts): ReservationChanges {
  async function findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation> {
    const reservation = await reservations.find(reservationId);
    if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(reservationId);
    return reservation;
  }

  function refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void {
    if (!mayChange(reservation, caller, changer)) throw reservationNotFound(reservation.reservationId);
  }

  /** Plans and writes the change of a reservation as it was read. Undefined: it has changed meanwhile. */
  async function tryChange(change: Change, before: Reservation, attempt: number): Promise<Uint8Array | undefined> {
    const { caller, requestId, fingerprint, plan } = change;
    const filed = await sites.filed(before.siteId);
    if (filed === undefined) throw siteNotFound(before.siteId);
    const { transition: bare, answer: planned, receipt } = await plan(before, filed, attempt);
    const transition = await receipts.attach(before, bare, receipt);
    if (transition !== bare && typeof planned !== "function") throw new TypeError("an answer was made before its receipt");
    const bytes = typeof planned === "function" ? await planned(transition) : planned;
    const response = { participantId: caller.participantId, requestId, fingerprint, bytes };
    const outcome = await reservations.apply({ ...transition, site: filed, response });
    if (outcome.tag === "done") return bytes;
    return outcome.tag === "repeated" ? outcome.response : undefined;
  }

  const changes: ReservationChanges = {
    findOwn,
    refuseOthers,
    apply: async (transition, receipt) => reservations.apply(await receipts.attach(transition.before, transition, receipt)),
    changeBy(schema, request, change) {
      const { requestId, reservationId } = request;
      return changes.change({ ...change, requestId, reservationId, fingerprint: fingerprintOf(schema, request) });
    },
    async change(change) {
      const { caller, requestId, reservationId, fingerprint, changer } = change;
      const { participantId } = caller;
      const region = parseReservationId(reservationId)?.region ?? "";
      // All three go to the server together, in this order: whoever has just changed the reservation for the same request wrote the response in the
      // same instant, so it must not be looked for earlier. The request id is claimed before anything is written in either case.
      const claiming = requestIds.claim(participantId, requestId, fingerprint);
      const read = () =>
        Promise.allSettled([findOwn(reservationId, caller), requestIds.findResponseIn(region, participantId, requestId, fingerprint)]);
      const firstReading = read();
      await Promise.allSettled([claiming, firstReading]);
      await claiming;
      return await retryOnConflict(
        async (attempt) => {
          const [found, recalled] = await (attempt === 0 ? firstReading : read());
          const before = settled(found);
          refuseOthers(before, caller, changer);
          return settled(recalled) ?? (await tryChange(change, before, attempt));
        },
        { conflict: () => changedTooOften(reservationId) },
      );
    },
  };
  return changes;
}

/** The error for a reservation that other calls kept changing. @param resend what the caller sends again */
export function changedTooOften(reservationId: string, resend: "request" | "reports" = "request"): PetakError {
  return new PetakError("CONFLICT", `reservation ${reservationId} was changed concurrently too often; send the same ${resend} again`, {
    metadata: { reservation_id: reservationId },
  });
}

/** The value of a settled promise, or its error, as if the promise had been awaited. */
function settled<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
