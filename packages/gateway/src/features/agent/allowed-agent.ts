import type { AgentEpoch } from "@petak/protocol";
import type { AgentFence } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import { type AgentCaller, keyRevoked } from "../../identity/index.ts";
import { type EpochDependencies, requireEpoch } from "../enrolment/epochs.ts";
import { type InChargeDependencies, requireInCharge } from "../enrolment/in-charge.ts";

/** An agent whose call was allowed, and what was so then: the scripts that record for it look whether it still is. */
export interface AllowedAgent extends AgentCaller {
  readonly fence: AgentFence;
}

export interface AllowAgentDependencies extends EpochDependencies, InChargeDependencies {
  keyDirectory: Pick<CachedKeyDirectory, "findKey" | "forget">;
}

/** The fence of an agent by the epoch that it names, and the key that was put in charge of its site. */
export function fenceOf(epoch: Pick<AgentEpoch, "nonce"> | undefined, inChargeKeyId: string): AgentFence {
  return { nonce: epoch?.nonce ?? new Uint8Array(), inChargeKeyId };
}

/**
 * Allows an agent's call.
 *
 * @throws {PetakError} KEY_REVOKED; AGENT_NOT_IN_CHARGE; AGENT_EPOCH_STALE.
 */
export async function allowAgent(
  dependencies: AllowAgentDependencies,
  caller: AgentCaller,
  epoch: AgentEpoch | undefined,
): Promise<AllowedAgent> {
  if (caller.isRevoked) throw keyRevoked(caller.keyId);
  const [inChargeKeyId] = await Promise.all([requireInCharge(dependencies, caller), requireEpoch(dependencies, caller, epoch)]);
  return { ...caller, fence: fenceOf(epoch, inChargeKeyId) };
}

/** Allows an agent's call again, after a script has found that something has changed since. What is cached of its key and of the one in charge is read anew. */
export async function allowAgain(
  dependencies: AllowAgentDependencies,
  caller: AllowedAgent,
  epoch: AgentEpoch | undefined,
): Promise<AllowedAgent> {
  const { keyDirectory } = dependencies;
  keyDirectory.forget(caller.keyId);
  const key = await keyDirectory.findKey(caller.keyId);
  if (key?.revokedAtMs !== undefined) throw keyRevoked(caller.keyId);
  return await allowAgent(dependencies, caller, epoch);
}
