import { type DeviceEvent, DeviceEventType, ProofKind } from "@petak/protocol";

/** Reports of which a receipt is made. */
const moves: ReadonlySet<DeviceEventType> = new Set([
  DeviceEventType.PARCEL_DEPOSITED,
  DeviceEventType.PARCEL_COLLECTED,
  DeviceEventType.PARCEL_RECALLED,
]);

/**
 * The fields of a hand-over's report that belong to reports of other types. The agent has signed them, and a receipt has no place for them: nobody could verify the
 * agent's signature by it.
 */
export function foreignMembers({ type, refusal, refusals, commandId, condition, handover, proofKind }: DeviceEvent): string[] {
  if (!moves.has(type)) return [];
  const foreign = {
    refusal: refusal !== "",
    refusals: refusals !== undefined,
    command_id: commandId !== "",
    condition: condition !== undefined,
    handover: handover !== "" && proofKind !== ProofKind.HANDOVER_LIST,
  };
  return Object.entries(foreign).flatMap(([name, isThere]) => (isThere ? [name] : []));
}
