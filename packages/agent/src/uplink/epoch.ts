import type { AgentEpoch, Reason } from "@petak/protocol";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";

/** Reasons by which a gateway refuses an agent whose place another one has taken. The agent then opens for no DEPOSIT. */
const otherInCharge: ReadonlySet<Reason> = new Set<Reason>(["AGENT_EPOCH_STALE", "AGENT_NOT_IN_CHARGE", "KEY_REVOKED"]);

/** Whether another agent is in charge, by the reason of a refusal. */
export function isOtherInCharge(reason: Reason | undefined): boolean {
  return reason !== undefined && otherInCharge.has(reason);
}

/** Notes on disk that another agent is in charge. Returns whether it is, by the reason of a refusal. On a full disk, where nothing opens, it is noted another time. */
export function noteRefusal({ epoch }: Pick<AgentStore, "epoch">, reason: Reason | undefined): boolean {
  const isRefused = isOtherInCharge(reason);
  try {
    if (isRefused) epoch.setRefused(true);
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
  return isRefused;
}

/** The epoch that a call names, if the agent holds one. */
export function epochOf({ epoch }: Pick<AgentStore, "epoch">): { epoch?: AgentEpoch } {
  const held = epoch.held();
  return held === undefined ? {} : { epoch: held };
}
