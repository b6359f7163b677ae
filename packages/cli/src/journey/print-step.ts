import { type Reservation, ReservationState } from "@petak/protocol";
import { nameIn } from "../chain/name-in.ts";
import { showEvents } from "../chain/show-events.ts";
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
    case "device enrolled":
      title("A device is enrolled at the site");
      detail(`${cyan(step.keyId)} ${dim("made on the device by a one-time code; it is revoked at the end")}`);
      break;
    case "program ready":
      title("Its program runs in a process of its own");
      detail(dim(`${step.doors} simulated doors, all empty`));
      break;
    case "counter open":
      title("Its program serves the counter, in a process of its own");
      detail(`${cyan(step.url)} ${dim(`${step.places} places on the shelf`)}`);
      break;
    case "clerk signed in":
      title("A clerk signs in on a tablet");
      detail(dim(`${step.clerkId}, by a PIN`));
      break;
    case "taken in":
      title(`The clerk takes the parcel in, by ${step.by}, and puts it on ${step.shelfPlace}`);
      break;
    case "handed over":
      title(`The clerk hands the parcel over from ${step.shelfPlace}, by ${step.by}`);
      break;
    case "link cut":
      title("The link to the gateway is cut");
      break;
    case "not heard of":
      title("The parcel came and went, and the gateway has not heard of it");
      detail(`the gateway says ${stateName(step.reservation.state)}`);
      break;
    case "link restored":
      title("The link is restored, and the reports are delivered");
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
