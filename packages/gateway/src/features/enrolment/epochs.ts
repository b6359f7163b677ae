import { type AgentEpoch, type BootRequest, EventType, PetakError } from "@petak/protocol";
import type { AgentLeases, ParticipantEvents } from "@petak/records";
import { type AgentCaller, keyRevoked } from "../../identity/index.ts";
import type { Logger } from "../../observability/index.ts";
import type { EpochProofs } from "../../secrets/epoch-proofs.ts";

export interface EpochDependencies {
  leases: Pick<AgentLeases, "take" | "otherThan">;
  epochProofs: EpochProofs;
  participantEvents: ParticipantEvents;
  logger: Logger;
  now: () => number;
}

/** The epoch of an agent that has started. */
export interface TakenEpoch {
  /** 0: it asks for none, and none was ever given to its key. */
  number: number;
  /** Proves that it was given, see {@link EpochProofs}. Empty: none was given. */
  proof: Uint8Array<ArrayBuffer>;
  /** Whether the agent goes on by its operator's word: another one may have reported with its key meanwhile. */
  isByWord: boolean;
}

/**
 * Gives an agent that starts its epoch.
 *
 * @throws {PetakError} KEY_REVOKED; AGENT_EPOCH_STALE if another disk with its key has a later one, of which the operator hears.
 */
export async function takeEpoch(
  dependencies: EpochDependencies,
  { heldEpoch, bootNonce = new Uint8Array(), processNonce = new Uint8Array() }: BootRequest,
  caller: AgentCaller,
): Promise<TakenEpoch> {
  const { leases, epochProofs, logger, now } = dependencies;
  const { siteId, keyId } = caller;
  const provenAtMs = heldEpoch && epochProofs.givenAtMs(caller, heldEpoch);
  const outcome = await leases.take({ siteId, keyId, held: heldEpoch, provenAtMs, bootNonce, processNonce, nowMs: now() });
  if (outcome.tag === "ended") throw keyRevoked(keyId);
  if (outcome.tag === "stale") throw await refused(dependencies, caller, heldEpoch, outcome.currentEpoch);
  if (outcome.tag === "none") return { number: 0, proof: new Uint8Array(), isByWord: false };
  const { epoch: number, atMs, isByWord } = outcome;
  if (number > (heldEpoch?.number ?? 0) + 1 && provenAtMs !== undefined && !isByWord) {
    logger.warn(
      { site_id: siteId, key_id: keyId, held_epoch: heldEpoch?.number, epoch: number },
      "an agent has proven an epoch that the store had lost",
    );
  }
  return { number, proof: epochProofs.prove(caller, { number, nonce: bootNonce }, atMs), isByWord };
}

/**
 * Refuses a call with another epoch than the one in force. Keys to which none was given need none.
 *
 * @throws {PetakError} AGENT_EPOCH_STALE, of which the operator hears; AGENT_EPOCH_LOST if the store has lost it, and a Boot brings the next.
 */
export async function requireEpoch(dependencies: EpochDependencies, caller: AgentCaller, named: AgentEpoch | undefined): Promise<void> {
  const other = await dependencies.leases.otherThan(caller, named);
  if (other === undefined) return;
  const provenAtMs = named && dependencies.epochProofs.givenAtMs(caller, named);
  if (provenAtMs !== undefined && provenAtMs > other.givenAtMs) throw epochLost(caller, named?.number ?? 0, other.number);
  throw await refused(dependencies, caller, named, other.number);
}

function epochLost({ siteId }: AgentCaller, heldEpoch: number, currentEpoch: number): PetakError {
  return new PetakError(
    "AGENT_EPOCH_LOST",
    `the gateway's store is of an earlier time and knows of no epoch ${heldEpoch} at ${siteId}, only of ${currentEpoch}; Boot, with the epoch and its proof, brings the next`,
    { metadata: { held_epoch: String(heldEpoch), current_epoch: String(currentEpoch), subject: siteId } },
  );
}

/** Tells the operator of a second disk, once for each epoch in force. Returns the error. */
async function refused(
  { participantEvents, now }: EpochDependencies,
  { participantId, siteId, mode, keyId }: AgentCaller,
  named: AgentEpoch | undefined,
  currentEpoch: number,
): Promise<PetakError> {
  const heldEpoch = named?.number ?? 0;
  const event = {
    ...{ type: EventType.SECOND_AGENT_REFUSED, siteId, participantId },
    isTest: mode === "test",
    secondAgent: { keyId, inChargeKeyId: keyId, heldEpoch, currentEpoch },
  };
  await participantEvents.append(`stale-epoch:${keyId}:${currentEpoch}`, event, now());
  return new PetakError(
    "AGENT_EPOCH_STALE",
    `an agent with the key ${keyId} has epoch ${currentEpoch} of ${siteId}, this one has ${heldEpoch === 0 ? "none" : heldEpoch}; the site's operator says which of the two goes on (petak agents takeover), or ends their key (petak agents replace)`,
    { metadata: { held_epoch: String(heldEpoch), current_epoch: String(currentEpoch), subject: siteId } },
  );
}
