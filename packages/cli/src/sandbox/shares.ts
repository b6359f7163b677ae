import { randomUUID } from "node:crypto";
import { Act, CancellationReason, type Reservation, ReservationState } from "@petak/protocol";
import { empty, forEach, msOf, type OnError, read } from "./care.ts";
import type { SiteScene } from "./sandbox-site.ts";

/** How many places a participant keeps at a site. */
const placesOfEach = 8;

/** A place that is taken. */
interface Taken {
  readonly reservation: Reservation;
  /** Undefined: the parcel has not come yet. */
  readonly compartmentId: string | undefined;
}

/**
 * The operator takes back the oldest places of a participant who has more than its share at a site, so that there is room for the tests of others. What it knows is in the
 * terminal's own records, so that the work is bounded by the number of doors.
 *
 * @param onError hears what went wrong at one of them
 */
export async function keepShares(scene: SiteScene, onError: OnError): Promise<void> {
  const { terminal, operator } = scene;
  const { store, cabinet } = terminal;
  const expected = store.allowances.all().filter(({ act, state }) => act === Act.DEPOSIT && state === ReservationState.CONFIRMED);
  const places = new Map<string, string | undefined>(expected.map(({ reservationId }) => [reservationId, undefined]));
  for (const compartmentId of cabinet.contents()) places.set(store.compartment(compartmentId).reservationId, compartmentId);
  if (places.size <= placesOfEach) return;
  const taken: Taken[] = [];
  await forEach([...places], onError, async ([reservationId, compartmentId]) => {
    const reservation = await read(operator, reservationId);
    if (reservation !== undefined) taken.push({ reservation, compartmentId });
  });
  for (const [, own] of Map.groupBy(taken, ({ reservation }) => reservation.participantId)) {
    const byAge = own.toSorted((one, other) => msOf(other.reservation.createdAt) - msOf(one.reservation.createdAt));
    await forEach(byAge.slice(placesOfEach), onError, (place) => takeBack(scene, place));
  }
}

async function takeBack({ terminal, operator }: SiteScene, { reservation, compartmentId }: Taken): Promise<void> {
  const { reservationId, state } = reservation;
  if (compartmentId !== undefined && state === ReservationState.DEPOSITED) await empty(terminal, compartmentId);
  if (state !== ReservationState.CONFIRMED || compartmentId !== undefined) return;
  await operator.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.SITE_PROBLEM });
}
