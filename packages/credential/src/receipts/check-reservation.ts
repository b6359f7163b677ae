import { create } from "@bufbuild/protobuf";
import { type Party, PartyKind, PartySchema, Purpose, type Reservation } from "@petak/protocol";
import type { ChainLink, ReportFault } from "./chain-link.ts";
import { handOvers, partyOn } from "./hand-overs.ts";
import { nameOf } from "./names.ts";

/** Checks that the reservation matches what the links say about it. */
export function checkReservation(reservation: Reservation, own: readonly ChainLink[], report: ReportFault): void {
  const operator = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: reservation.operatorId });
  const common = {
    site_id: reservation.siteId,
    operator_id: reservation.operatorId,
    participant_id: reservation.participantId,
    purpose: nameOf(Purpose, reservation.purpose),
    partner_reference: reservation.partnerReference,
    is_test: reservation.isTest,
  };
  for (const { number, claims } of own) {
    const [giver, receiver] = handOvers.find(({ act }) => act === claims.act)?.sides ?? [];
    const wanted = {
      ...common,
      given_by: claimed(partyOn(giver, reservation, operator)),
      received_by: claimed(partyOn(receiver, reservation, operator)),
    };
    for (const [name, value] of Object.entries(wanted)) {
      const [inReservation, inLink] = [JSON.stringify(value), JSON.stringify(claims[name as keyof typeof wanted])];
      if (inReservation === inLink) continue;
      report("RESERVATION_DIFFERS", `${name} is ${inReservation} in the reservation, but ${inLink} in link ${number}`, {
        link: number,
        eventId: claims.event_id,
      });
    }
  }
}

function claimed(party: Party | undefined) {
  return party === undefined ? null : { kind: nameOf(PartyKind, party.kind), participant_id: party.participantId };
}
