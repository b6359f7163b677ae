import { create } from "@bufbuild/protobuf";
import { type ModeName, type Operator, OperatorSchema, type Participant, PetakError, Role } from "@petak/protocol";
import type { OperatorLinksStore, ParticipantStore } from "@petak/records";

/**
 * An operator as everybody sees it, with its links in one network.
 *
 * @throws {PetakError} PARTICIPANT_NOT_FOUND if there is no such participant, or it is no operator.
 */
export async function findOperator(
  { participants, operatorLinks }: { participants: Pick<ParticipantStore, "find">; operatorLinks: Pick<OperatorLinksStore, "find"> },
  operatorId: string,
  mode: ModeName,
): Promise<Operator> {
  const [found, links] = await Promise.all([participants.find(operatorId), operatorLinks.find(operatorId, mode)]);
  const { displayName } = requireOperator(found, operatorId);
  return create(OperatorSchema, { operatorId, displayName, ...(links && { links }) });
}

/** Throws PARTICIPANT_NOT_FOUND unless a participant is an operator. */
export function requireOperator(found: Participant | undefined, operatorId: string): Participant {
  if (found?.roles.includes(Role.OPERATOR) === true) return found;
  throw new PetakError("PARTICIPANT_NOT_FOUND", `participant ${JSON.stringify(operatorId)} does not exist, or is no operator`, {
    metadata: { participant_id: operatorId },
  });
}
