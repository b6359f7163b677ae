import { randomUUID } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { CancellationReason, type Reservation, ReservationState } from "@petak/protocol";
import { ask, CallFailed, servicePatienceMs } from "./calls.ts";
import type { City } from "./city.ts";
import type { Life } from "./life.ts";
import type { Moment } from "./moment.ts";

/** Notes the reservation of an intention, and observes the place that was given to it, if it does not wait. */
export async function placeGiven(city: City, life: Life, reservation: Reservation): Promise<void> {
  const { reservationId, siteId, sizeClassId, state, heldCompartmentId } = reservation;
  city.lives.reserved(life, reservationId, siteId);
  noteLimit(life, reservation);
  life.place = { sizeClassId, ...(heldCompartmentId !== "" && { compartmentId: heldCompartmentId }) };
  life.wantedSiteId ??= siteId;
  await city.sites.find(siteId);
  if (state !== ReservationState.QUEUED) placeIsTaken(city, life);
}

/** Observes that the place of an intention is its own. */
function placeIsTaken(city: City, life: Life): void {
  const { intention, reservationId = "", siteId = "", place, courier } = life;
  if (place === undefined) return;
  life.isFreed = false;
  const about = { intention: intention.id, atMs: city.nowMs(), reservationId, siteId };
  city.observe({ kind: "given", ...about, ...place, participantId: courier.participantId });
}

/** Notes until when the place is kept. */
export function noteLimit(life: Life, { state, holdExpiresAt, depositUntil }: Reservation): void {
  const limit = state === ReservationState.HELD ? holdExpiresAt : depositUntil;
  if (limit !== undefined) life.keptUntilMs = timestampMs(limit);
}

/** Observes that the place of an intention can be given to others from now on: before what may end it. */
export function placeEnds(city: City, life: Pick<Life, "reservationId" | "intention" | "isFreed">): void {
  const { reservationId, intention, isFreed } = life;
  if (reservationId === undefined || isFreed) return;
  life.isFreed = true;
  city.observe({ kind: "freed", intention: intention.id, atMs: city.nowMs(), reservationId });
}

/** Observes which places are not kept any longer by a time of the network. */
export function limitsPass(city: City, atMs: number): void {
  for (const life of city.lives.open) if (life.phase === "held" && (life.keptUntilMs ?? Infinity) <= atMs) placeEnds(city, life);
}

/** Somebody thinks better of it before the deposit. @param onHeld called if who waited has a place now, which is to be confirmed */
export async function changeMind(city: City, life: Life, moment: Moment, onHeld: (moment: Moment) => void): Promise<void> {
  if ((life.phase !== "held" && life.phase !== "queued") || life.isBusy) return;
  if (life.intention.change === "REDIRECTS") return await redirect(city, life, moment, onHeld);
  if (await cancel(city, life, CancellationReason.CONSUMER_REQUEST)) city.lives.end(life, "cancelled");
}

/** Cancels the reservation. Returns whether it has ended; if not, the parcel is inside. */
export async function cancel(city: City, life: Life, reason: CancellationReason): Promise<boolean> {
  const { intention, reservationId = "", courier } = life;
  const request = { requestId: randomUUID(), reservationId, reason };
  life.isBusy = true;
  // Before the call: its answer may come after that of somebody who gets the place.
  if (life.phase !== "queued") placeEnds(city, life);
  try {
    const asked = { intention: intention.id, operation: "cancel", reservationId } as const;
    await ask(city, asked, (options) => courier.client.reservations.cancel(request, options), servicePatienceMs);
    return true;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return false;
  } finally {
    life.isBusy = false;
  }
}

/** Asks for the nearest other site. If there is none, everything stays as it was. */
async function redirect(city: City, life: Life, moment: Moment, onHeld: (moment: Moment) => void): Promise<void> {
  const { intention, reservationId = "", courier } = life;
  const { latitude, longitude, walkM, overflowWithinM } = intention;
  const request = {
    requestId: randomUUID(),
    reservationId,
    place: {
      case: "nearest",
      value: {
        origin: { latitude, longitude },
        radiusM: Math.max(walkM, overflowWithinM),
        operatorIds: city.sites.searched(),
      },
    },
    reason: CancellationReason.CONSUMER_REQUEST,
  } as const;
  const wasQueued = life.phase === "queued";
  life.isBusy = true;
  if (life.phase === "held") placeEnds(city, life);
  try {
    const asked = { intention: intention.id, operation: "redirect", reservationId, dueMs: moment.dueMs } as const;
    const answer = await ask(city, asked, (options) => courier.client.reservations.redirect(request, options), servicePatienceMs);
    const moved = answer.reservation;
    if (moved === undefined) return;
    await placeGiven(city, life, moved);
    life.phase = moved.state === ReservationState.QUEUED ? "queued" : "held";
    if (wasQueued && life.phase === "held") onHeld(moment);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    if (error.isRefusal && life.phase === "held") placeIsTaken(city, life);
  } finally {
    life.isBusy = false;
  }
}
