import type { Bundle, Event, Reservation } from "@petak/protocol";
import type { ParticipantCaller } from "../identity/index.ts";

/** Whether a participant may know of a reservation, a bundle or an event: it made the reservation or runs the site, in the same network. */
export function isParty(subject: Reservation | Bundle | Event, { participantId, mode }: ParticipantCaller): boolean {
  return subject.isTest === (mode === "test") && (subject.participantId === participantId || subject.operatorId === participantId);
}
