import { type Reservation, ReservationState } from "@petak/protocol";
import { nameIn, showEvents } from "../chain/show-events.ts";
import type { Output } from "../terminal/output.ts";
import type { Step } from "./step.ts";

/**
 * Prints a step.
 *
 * @param several true: the journey has several parcels, so each step names its parcel
 */
export function printStep(output: Output, step: Step, number: number, several: boolean): void {
  const { bold, cyan, dim, green } = output.colors;
  const title = (text: string) => output.print(`${green(String(number).padStart(2))}  ${bold(text)}`);
  const detail = (text: string) => output.print(`    ${text}`);
  const which = ({ reservationId }: Reservation) => (several ? `${cyan(reservationId)}, ` : "");
  switch (step.step) {
    case "options found":
      title(`${step.options.length} options found`);
      for (const { site, distanceM, sizeClassId, freeToPromise } of step.options) {
        detail(`${metres(distanceM).padStart(8)}  ${site?.name ?? ""}  ${dim(`size class ${sizeClassId}, ${freeToPromise} free`)}`);
      }
      break;
    case "place held": {
      const { reservationId, siteId, sizeClassId, heldCompartmentId } = step.reservation;
      title(`Place held at ${step.site?.name ?? siteId}`);
      // There is no distance if the site was named.
      const distance = step.distanceM > 0 ? `, ${metres(step.distanceM)} away` : "";
      const door = heldCompartmentId === "" ? "" : `, door ${heldCompartmentId}`;
      detail(`${cyan(reservationId)}, size class ${sizeClassId}${door}${distance}`);
      break;
    }
    case "confirmed":
      title("Confirmed");
      if (several) detail(cyan(step.reservation.reservationId));
      break;
    case "bundled":
      title(`Bundled: ${step.bundle.reservationIds.length} parcels, one collection`);
      detail(cyan(step.bundle.bundleId));
      break;
    case "credential issued":
      title(`Credential issued: ${step.act}`);
      detail(`${cyan(`${step.credential.accessToken.slice(0, 48)}…`)} ${dim(`${step.credential.accessToken.length} characters`)}`);
      if (step.credential.pin !== "") detail(`PIN ${cyan(`${step.credential.pin.slice(0, 4)} ${step.credential.pin.slice(4)}`)}`);
      break;
    case "terminal ready":
      title("A simulated terminal runs at the site");
      detail(dim(`${step.compartments} compartments, all empty; it verifies credentials itself`));
      break;
    case "door opened":
      title(`Door ${step.presentation.compartmentId} opened for ${step.act}, by ${step.by}`);
      if (step.presentation.doorsToCome > 0)
        detail(dim(`${step.presentation.doorsToCome} more to open, each after the previous one is closed`));
      break;
    case "deposited":
      title("Deposited");
      detail(
        `${which(step.reservation)}compartment ${step.reservation.compartmentId}, the gateway says ${stateName(step.reservation.state)}`,
      );
      break;
    case "closed after service":
      title("The door is closed again, with the parcel inside");
      detail(`${which(step.reservation)}the gateway says ${stateName(step.reservation.state)}`);
      break;
    case "collected":
      title("Collected");
      detail(`${which(step.reservation)}the gateway says ${stateName(step.reservation.state)}`);
      break;
    case "recalled":
      title("Taken back");
      detail(`${which(step.reservation)}the gateway says ${stateName(step.reservation.state)}`);
      break;
    case "custody chain":
      title(several ? `The custody chain of ${step.reservation.reservationId}` : "The custody chain");
      showEvents(output, step.events, "    ");
      break;
  }
}

function metres(distanceM: number): string {
  return distanceM < 1000 ? `${Math.round(distanceM)} m` : `${(distanceM / 1000).toFixed(1)} km`;
}

function stateName(state: ReservationState): string {
  return nameIn(ReservationState, state);
}
