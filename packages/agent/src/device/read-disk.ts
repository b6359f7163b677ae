import { ConditionKind } from "@petak/protocol";
import type { AgentOptions } from "../agent.ts";
import type { AgentLogger } from "../logger.ts";
import { AgentStoreError, DamagedStoreError } from "../store/open-database.ts";

/** How long a device that cannot start takes to tell its gateway, in ms. */
const tellingMs = 5000;

/**
 * Reads from a device's store. If it is damaged, or the disk takes nothing, the gateway is told before the error is thrown: nobody else hears of a device that does
 * not start. One that does not answer in 5 s is told at the next start.
 */
export async function readDisk<Found>(
  read: () => Found,
  {
    client,
    siteId,
    logger,
    signal,
  }: { client: Pick<AgentOptions["client"], "reportEvents">; siteId: string; logger: AgentLogger; signal: AbortSignal },
): Promise<Found> {
  try {
    return read();
  } catch (error) {
    const kind = conditionOf(error);
    if (kind !== undefined) {
      await client
        .reportEvents({ siteId, alarms: [kind] }, { signal: AbortSignal.any([signal, AbortSignal.timeout(tellingMs)]) })
        .catch((err: unknown) => logger.warn({ err }, "the gateway could not be told what is wrong with this device"));
    }
    throw error;
  }
}

/** Undefined: the store is good, and is not for this agent. */
function conditionOf(error: unknown): ConditionKind | undefined {
  if (error instanceof DamagedStoreError) return ConditionKind.STORE_DAMAGED;
  return error instanceof AgentStoreError ? undefined : ConditionKind.STORAGE_FAILED;
}
