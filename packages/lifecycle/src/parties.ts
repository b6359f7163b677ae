import { create } from "@bufbuild/protobuf";
import { type Bundle, type Event, type ModeName, type Party, PartyKind, PartySchema, type Reservation } from "@petak/protocol";

/** The gateway, the actor when deadlines pass. */
export const gatewayParty: Party = Object.freeze(create(PartySchema, { kind: PartyKind.GATEWAY }));

/** The consumer of a reservation. */
export const consumerParty: Party = Object.freeze(create(PartySchema, { kind: PartyKind.CONSUMER }));

/** A participant as a party to a reservation, or as an actor. */
export function participantParty({ participantId }: { participantId: string }): Party {
  const party = create(PartySchema);
  party.kind = PartyKind.PARTICIPANT;
  party.participantId = participantId;
  return party;
}

/** The agent of one of an operator's sites, as an actor. @param participantId of the operator */
export function agentParty({ participantId }: { participantId: string }): Party {
  return create(PartySchema, { kind: PartyKind.AGENT, participantId });
}

/** Whether a participant may see a reservation, bundle or event: it made the reservation or operates the site, and its key is of the same network. */
export function isParty(
  subject: Reservation | Bundle | Event,
  { participantId, mode }: { readonly participantId: string; readonly mode: ModeName },
): boolean {
  return subject.isTest === (mode === "test") && (subject.participantId === participantId || subject.operatorId === participantId);
}

/** Parties that may make a change. The owner is the participant that made the reservation. */
export type Changer = "owner" | "owner or operator" | "operator";

/** Whether a participant may make a change. */
export function mayChange(reservation: Reservation, { participantId }: { readonly participantId: string }, changer: Changer): boolean {
  if (changer !== "operator" && reservation.participantId === participantId) return true;
  return changer !== "owner" && reservation.operatorId === participantId;
}
