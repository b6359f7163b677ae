import type { AgentEpoch } from "@petak/protocol";
import type { PinKeys } from "@petak/records";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { chargeChanged } from "../enrolment/in-charge.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";
import { type AllowAgentDependencies, type AllowedAgent, allowAgain } from "./allowed-agent.ts";

export interface HandOverPinKeyDependencies extends AllowAgentDependencies {
  pinKeys: Pick<PinKeys, "handOver">;
  secrets: Pick<GatewaySecrets, "pinKey">;
}

/**
 * The key for the hashes of the site's PINs, for an agent that has it from now on: it is noted, so that the end of the agent's key ends the PINs.
 *
 * @throws {PetakError} why the agent is not in charge any more: a successor's key must not reach it.
 */
export async function handOverPinKey(
  dependencies: HandOverPinKeyDependencies,
  caller: AllowedAgent,
  epoch: AgentEpoch | undefined,
): Promise<Uint8Array> {
  let allowed = caller;
  return await retryOnConflict(
    async () => {
      const generation = await dependencies.pinKeys.handOver(allowed);
      if (generation !== undefined) return await dependencies.secrets.pinKey(caller.siteId, generation);
      allowed = await allowAgain(dependencies, allowed, epoch);
      return undefined;
    },
    { conflict: () => chargeChanged(caller.siteId) },
  );
}
