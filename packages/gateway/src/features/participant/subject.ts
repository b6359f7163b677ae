import { Mode, type Participant, PetakError, Role } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/** Whether the caller has the role ADMIN. */
export function isAdmin({ roles }: ParticipantCaller): boolean {
  return roles.includes(Role.ADMIN);
}

/**
 * Finds the participant that a request is about: the caller if `participantId` is empty, or for ADMIN any participant.
 *
 * @throws {PetakError} PARTICIPANT_NOT_FOUND if it does not exist or the caller may not see it.
 */
export async function findSubject(
  participants: Pick<ParticipantStore, "find">,
  participantId: string,
  caller: ParticipantCaller,
): Promise<Participant> {
  const wanted = participantId === "" ? caller.participantId : participantId;
  const isVisible = wanted === caller.participantId || isAdmin(caller);
  const found = isVisible ? await participants.find(wanted) : undefined;
  if (found === undefined) {
    throw new PetakError("PARTICIPANT_NOT_FOUND", `participant ${JSON.stringify(wanted)} does not exist, or the caller may not see it`, {
      metadata: { participant_id: wanted },
    });
  }
  return found;
}

/**
 * Refuses a change of a live key by a test key, also by one of ADMIN: test keys are kept in scripts and must never give access to live keys.
 *
 * @throws {PetakError} MODE_MISMATCH.
 */
export function refuseLiveFromTest(caller: ParticipantCaller, mode: Mode): void {
  if (caller.mode === "test" && mode === Mode.LIVE) {
    throw new PetakError("MODE_MISMATCH", "a test key cannot create, register or revoke a live key");
  }
}
