import { randomUUID } from "node:crypto";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { DoubtOutcome, type Reservation, ReservationState, reasonOf } from "@petak/protocol";
import type { SandboxClock, SiteScene } from "./sandbox-site.ts";

/** Hears what went wrong. */
export type OnError = (error: unknown) => void;

/** How long a doubt stands before the operator has looked into the compartment, in ms. */
const doubtMs = 30_000;

/** How long a forgotten parcel stays after it should have gone, in ms. */
const forgottenMs = 3_600_000;

/** The operator looks into compartments in doubt, and settles the doubts that have stood for a while. @param onError hears what went wrong at one of them */
export async function settleDoubts(scene: SiteScene, { now }: SandboxClock, onError: OnError): Promise<void> {
  const { terminal, operator } = scene;
  const { agent, cabinet, store } = terminal;
  await forEach(cabinet.compartments(), onError, async ({ compartmentId }) => {
    const { condition, reservationId } = store.compartment(compartmentId);
    if (condition !== "IN_DOUBT") return;
    const reservation = await read(operator, reservationId);
    // The report is still on its way.
    if (reservation?.state === ReservationState.DEPOSITED || reservation?.state === ReservationState.CONFIRMED) return;
    if (reservation?.state === ReservationState.IN_DOUBT) {
      if (now() < msOf(reservation.updatedAt) + doubtMs) return;
      const outcome = reservation.depositedAt === undefined ? DoubtOutcome.NO_PARCEL : DoubtOutcome.RECALLED;
      await operator.reservations.resolveDoubt({ requestId: randomUUID(), reservationId, outcome });
    }
    await agent.markChecked(compartmentId);
  });
}

/**
 * The operator throws parcels away that nobody has collected for long, so that the site is not full for ever. Its agent doubts what has become of them.
 *
 * @param onError hears what went wrong at one of them
 */
export async function throwAway({ terminal, operator }: SiteScene, { now }: SandboxClock, onError: OnError): Promise<void> {
  const { cabinet, store } = terminal;
  await forEach(cabinet.contents(), onError, async (compartmentId) => {
    const { condition, reservationId } = store.compartment(compartmentId);
    const isSettled = condition === "OK" && reservationId !== "";
    if (isSettled && isForgotten(await read(operator, reservationId), now())) await empty(terminal, compartmentId);
  });
}

/** Takes a parcel out of its compartment without a credential. */
export async function empty({ agent, cabinet }: SimulatedTerminal, compartmentId: string): Promise<void> {
  await cabinet.open(compartmentId);
  await agent.desk.written();
  cabinet.takeOut(compartmentId);
  cabinet.closeDoor(compartmentId);
}

/** One that fails does not keep the operator from the others. */
export async function forEach<Item>(items: readonly Item[], onError: OnError, look: (item: Item) => Promise<void>): Promise<void> {
  for (const item of items) await look(item).catch(onError);
}

function isForgotten(reservation: Reservation | undefined, nowMs: number): boolean {
  if (reservation === undefined) return true;
  const { state, overdueSince, updatedAt } = reservation;
  if (state === ReservationState.DEPOSITED) return overdueSince !== undefined && nowMs >= msOf(overdueSince) + forgottenMs;
  return state !== ReservationState.CONFIRMED && nowMs >= msOf(updatedAt) + forgottenMs;
}

/** A time in ms since 1970; 0 if there is none. */
export const msOf = (time: Timestamp | undefined) => (time === undefined ? 0 : timestampMs(time));

/** Reads a reservation. Undefined: it is not in the records any more. */
export async function read({ reservations }: SiteScene["operator"], reservationId: string): Promise<Reservation | undefined> {
  try {
    return (await reservations.getReservation({ reservationId })).reservation;
  } catch (error) {
    if (reasonOf(error) === "RESERVATION_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Does something again and again, with a pause between. What goes wrong is told, and tried again. @returns a function that ends it */
export function keepDoing(
  work: () => Promise<void>,
  { everyMs, clock, onError }: { everyMs: number; clock: SandboxClock; onError: (error: unknown) => void },
): () => Promise<void> {
  let isStopped = false;
  let running = Promise.resolve();
  let cancel = next();
  function next(): () => void {
    return clock.after(everyMs, () => {
      running = work()
        .catch(onError)
        .finally(() => {
          if (!isStopped) cancel = next();
        });
    });
  }
  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}
