import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Changer, isParty, mayChange, type Transition } from "@petak/lifecycle";
import { PetakError, parseReservationId, type Reservation } from "@petak/protocol";
import {
  endedSite,
  type FiledSite,
  type RequestIds,
  type ReservationStore,
  reservationNotFound,
  type SiteStore,
  type StoredTransition,
  type TransitionOutcome,
} from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReceiptFacts, Receipts } from "../custody/receipts/receipts.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** A change of a reservation by one of its parties. */
export interface Change {
  caller: ParticipantCaller;
  /** UUID. Together with the caller it is the idempotency key. */
  requestId: string;
  reservationId: string;
  /** Hash of the request's body, see {@link fingerprintOf}. */
  fingerprint: Buffer;
  changer: Changer;
  /** Whether a caller may make such changes as often as it likes, so that they are refused once the reservation has very many events. Default false. */
  isRepeatable?: boolean;
  /**
   * Plans the transition of the current reservation and its response. Called again after a conflict.
   *
   * @param attempt number of the call, from 0
   */
  plan(before: Reservation, filed: FiledSite, attempt: number): Promise<PlannedChange>;
}

/** A request about one reservation. */
export type ChangeRequest = Pick<Change, "requestId" | "reservationId">;

/** The rest of the change that a {@link ChangeRequest} makes. */
export type ChangeByRequest = Pick<Change, "caller" | "changer" | "isRepeatable" | "plan">;

/** A transition by a request, and the response to store. */
export interface PlannedChange {
  transition: Transition;
  /** The encoded response, or a function of the written reservation and its events with their receipt. */
  response: Uint8Array | ((written: Pick<Transition, "after" | "events">) => Uint8Array | Promise<Uint8Array>);
  /** Further facts for the receipt. */
  receipt?: ReceiptFacts;
}

/** Reads and changes reservations for their parties. */
export interface ReservationChanges {
  /** Finds a reservation to which the caller is a party. Throws RESERVATION_NOT_FOUND otherwise. */
  findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation>;
  /** Throws RESERVATION_NOT_FOUND if the caller may not make a change. */
  refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void;
  /**
   * Makes a change once and returns its encoded response. A duplicate gets the stored response. The change is retried if the reservation is changed
   * concurrently.
   */
  change(change: Change): Promise<Uint8Array>;
  /** {@link change} by a request that names its reservation. */
  changeBy<Desc extends DescMessage>(
    schema: Desc,
    request: MessageShape<Desc> & ChangeRequest,
    change: ChangeByRequest,
  ): Promise<Uint8Array>;
  /** Attaches the receipt that a transition requires, and tries to write the transition. The outcome `stale` is a conflict: read again and retry. */
  apply(transition: StoredTransition, receipt?: ReceiptFacts): Promise<TransitionOutcome>;
}

/** The stores that a change reads and writes. */
export interface ChangedRecords {
  reservations: Pick<ReservationStore, "find" | "apply">;
  sites: Pick<SiteStore, "filed">;
  requestIds: Pick<RequestIds, "claim" | "findResponseIn">;
}

/** Creates {@link ReservationChanges} over the stores. All changes by requests, redirections and agents' reports go through it. */
export function createReservationChanges({ reservations, sites, requestIds }: ChangedRecords, receipts: Receipts): ReservationChanges {
  async function findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation> {
    const reservation = await reservations.find(reservationId);
    if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(reservationId);
    return reservation;
  }

  function refuseOthers(reservation: Reservation, caller: ParticipantCaller, changer: Changer): void {
    if (!mayChange(reservation, caller, changer)) throw reservationNotFound(reservation.reservationId);
  }

  /** Plans and writes the change of a reservation as it was read. Undefined: a conflict. */
  async function tryChange(change: Change, before: Reservation, attempt: number): Promise<Uint8Array | undefined> {
    const { caller, requestId, fingerprint, isRepeatable = false, plan } = change;
    const filed = (await sites.filed(before.siteId)) ?? endedSite(before.siteId);
    const { transition: bare, response: planned, receipt } = await plan(before, filed, attempt);
    const transition = await receipts.attach(before, bare, receipt);
    if (transition !== bare && typeof planned !== "function") throw new TypeError("a response was encoded before its receipt");
    const bytes = typeof planned === "function" ? await planned(transition) : planned;
    const response = { participantId: caller.participantId, requestId, fingerprint, bytes };
    const outcome = await reservations.apply({ ...transition, site: filed, response, isRepeatable });
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
      // All three commands are sent together, in this order. A duplicate that has just changed the reservation has written the response in the same step,
      // so the response is read after the reservation. The request id is claimed before anything is written.
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

/** The error after too many conflicts. @param resend names what the caller should send again */
export function changedTooOften(reservationId: string, resend: "request" | "reports" = "request"): PetakError {
  return new PetakError("CONFLICT", `reservation ${reservationId} was changed concurrently too often; send the same ${resend} again`, {
    metadata: { reservation_id: reservationId },
  });
}

/** The value of a settled promise. Throws its error. */
function settled<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
