import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ParcelRequirement, PartyKind, ProofKind, ReservationState } from "@petak/protocol";
import type { Output } from "../terminal/output.ts";
import { describeDoubt } from "./doubt.ts";
import { nameIn } from "./name-in.ts";
import { describeSiteChange } from "./site-change.ts";

/**
 * Shows events in a table, in their order.
 *
 * @param margin prefix of each line. Default: empty
 */
export function showEvents(output: Output, events: readonly Event[], margin = ""): void {
  output.table(
    [
      { title: `${margin}RECORDED` },
      { title: "EVENT", paint: output.colors.bold },
      { title: "BY" },
      { title: "STATE AFTER" },
      { title: "DETAILS", flexible: true },
    ],
    events.map((event) => [
      `${margin}${event.recordedAt === undefined ? "" : timestampDate(event.recordedAt).toISOString()}`,
      nameIn(EventType, event.type),
      nameIn(PartyKind, event.actor?.kind ?? PartyKind.UNSPECIFIED),
      nameIn(ReservationState, event.stateAfter),
      detailsOf(event),
    ]),
  );
}

/** What an event says beyond its type and states, in words. Empty: nothing. */
export function detailsOf(event: Event): string {
  const { proof, siteChange } = event;
  if (siteChange !== undefined) return describeSiteChange(siteChange);
  if (proof === undefined || proof.deviceSequence === 0n) return "";
  const shown = `${nameIn(ProofKind, proof.kind)}, report ${proof.deviceSequence}${proof.offline ? ", offline" : ""}`;
  return [describeDoubt(event), proof.refusal, describeMissing(event), shown].filter((part) => part !== "").join("; ");
}

/** What the parcel asks for and was not reported: `without AGE_CHECK`. Empty: nothing. */
function describeMissing({ missingChecks }: Event): string {
  return missingChecks.length === 0 ? "" : `without ${missingChecks.map((check) => nameIn(ParcelRequirement, check)).join(", ")}`;
}
