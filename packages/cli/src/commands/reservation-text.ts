import { timestampDate } from "@bufbuild/protobuf/wkt";
import { isOverdue, limitInForce } from "@petak/lifecycle";
import { type Money, type Reservation, ReservationState } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { wordsOf } from "./words.ts";

/** The words for the states of a reservation. */
export const stateWords = wordsOf(ReservationState);

/** Prints a reservation in a few lines. @param siteName the name of its site, if it is known */
export function printReservation(output: Output, reservation: Reservation, siteName = ""): void {
  const { cyan, bold } = output.colors;
  const { reservationId, state, siteId, queuePosition, feeDue, bundleId, redirectedTo, sizeClassId } = reservation;
  const until = limitInForce(reservation);
  const door = reservation.compartmentId || reservation.heldCompartmentId;
  const lines: [title: string, text: string][] = [
    ["state", bold(isOverdue(reservation) ? "overdue" : stateWords.of(state))],
    ["until", until === undefined ? "" : `${timestampDate(until).toISOString().slice(0, 19)}Z`],
    ["site", siteName === "" ? siteId : `${siteName} (${siteId})`],
    ["size", sizeClassId],
    ["door", door],
    ["ahead", state === ReservationState.QUEUED && queuePosition !== undefined ? `${queuePosition} in the queue` : ""],
    ["reference", reservation.partnerReference],
    ["bundle", bundleId],
    ["fee due", feeDue === undefined ? "" : moneyText(feeDue)],
    ["moved to", redirectedTo],
  ];
  output.print(cyan(reservationId));
  for (const [title, text] of lines) if (text !== "") output.print(`  ${title.padEnd(11)}${text}`);
}

/** The reservation of a response. */
export function reservationIn({ reservation }: { reservation?: Reservation }): Reservation {
  if (reservation === undefined) throw new CliFailure("The gateway's response lacks the reservation.");
  return reservation;
}

/** An amount with its currency: `12.5 SGD`. */
export function moneyText({ currencyCode, units, nanos }: Money): string {
  const fraction = String(nanos).padStart(9, "0").replace(/0+$/, "");
  return `${units}${fraction === "" ? "" : `.${fraction}`} ${currencyCode}`;
}
