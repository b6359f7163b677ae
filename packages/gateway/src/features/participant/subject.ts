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
 * Refuses that a test key changes a live key or reads about the live network, also one of ADMIN: test keys are kept in scripts and must never give access
 * to the live network.
 *
 * @throws {PetakError} MODE_MISMATCH.
 */
export function refuseLiveFromTest(caller: ParticipantCaller, mode: Mode): void {
  if (caller.mode === "test" && mode === Mode.LIVE) {
    throw new PetakError(
      "MODE_MISMATCH",
      "a test key cannot create a participant, create, register or revoke a live key, nor read or set limits of the live network",
    );
  }
}

/**
 * Refuses that a test key registers a key of an administrator, a test key too and its own as well: whoever finds a test key in a script must not be able to stay.
 *
 * @throws {PetakError} MODE_MISMATCH.
 */
export function refuseAdminFromTest(caller: ParticipantCaller, roles: readonly Role[]): void {
  if (caller.mode === "test" && roles.includes(Role.ADMIN)) {
    throw new PetakError("MODE_MISMATCH", "a test key cannot register a key of an administrator; use a live key");
  }
}
