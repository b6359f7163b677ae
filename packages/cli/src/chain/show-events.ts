import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, PartyKind, ProofKind, ReservationState } from "@petak/protocol";
import type { Output } from "../terminal/output.ts";

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
      { title: "PROOF", flexible: true },
    ],
    events.map(({ recordedAt, type, actor, stateAfter, proof }) => [
      `${margin}${recordedAt === undefined ? "" : timestampDate(recordedAt).toISOString()}`,
      nameIn(EventType, type),
      nameIn(PartyKind, actor?.kind ?? PartyKind.UNSPECIFIED),
      nameIn(ReservationState, stateAfter),
      proof === undefined || proof.deviceSequence === 0n
        ? ""
        : `${nameIn(ProofKind, proof.kind)}, report ${proof.deviceSequence}${proof.offline ? ", offline" : ""}`,
    ]),
  );
}

/** The protocol's name of an enum value. */
export function nameIn(values: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(values).find(([, number]) => number === value)?.[0] ?? String(value);
}
