import { EventType, PetakError } from "@petak/protocol";
import type { ParticipantEvents, SiteAgents } from "@petak/records";
import type { AgentCaller, KeyDirectory } from "../../identity/index.ts";

export interface InChargeDependencies {
  siteAgents: Pick<SiteAgents, "inCharge">;
  keyDirectory: Pick<KeyDirectory, "findKey">;
  participantEvents: ParticipantEvents;
  now: () => number;
}

/**
 * Refuses an agent of a site of which an enrolled device with another key is in charge, as long as the operator has not ended that key. The operator hears of
 * it, since nobody else can know which of the two is wrong. Sites where no device has enrolled have any number of agents.
 *
 * @returns the key of the device that was put in charge of the site, see {@link inChargeOf}
 * @throws {PetakError} AGENT_NOT_IN_CHARGE.
 */
export async function requireInCharge(dependencies: InChargeDependencies, caller: AgentCaller): Promise<string> {
  const { keyId, isOther } = await inChargeOf(dependencies, caller.siteId, caller.keyId);
  if (!isOther) return keyId;
  await tellOfSecond(dependencies, caller, keyId);
  throw notInCharge(caller.siteId, keyId);
}

/** The key of the device that was put in charge of a site, and whether that is another one, which is not revoked. "": none was ever enrolled. */
export async function inChargeOf(
  { siteAgents, keyDirectory, now }: Omit<InChargeDependencies, "participantEvents">,
  siteId: string,
  callerKeyId: string,
): Promise<{ keyId: string; isOther: boolean }> {
  const keyId = (await siteAgents.inCharge(siteId)) ?? "";
  if (keyId === "" || keyId === callerKeyId) return { keyId, isOther: false };
  const key = await keyDirectory.findKey(keyId);
  const isEnded = key === undefined || (key.revokedAtMs !== undefined && key.revokedAtMs <= now());
  return { keyId, isOther: !isEnded };
}

/** The error for a device that is not in charge. */
export function notInCharge(siteId: string, inChargeKeyId: string): PetakError {
  return new PetakError(
    "AGENT_NOT_IN_CHARGE",
    `the device with the key ${inChargeKeyId} is in charge of ${siteId}; its operator ends that key before another device takes over (petak agents replace)`,
    { metadata: { in_charge_key_id: inChargeKeyId, subject: siteId } },
  );
}

/** The error for a call during which the agent in charge has changed too often. The agent repeats it. */
export function chargeChanged(siteId: string): PetakError {
  return new PetakError("CONFLICT", `the agent in charge of ${siteId} has changed again and again during this call; repeat it`, {
    metadata: { site_id: siteId },
  });
}

async function tellOfSecond(
  { participantEvents, now }: InChargeDependencies,
  { participantId, siteId, mode, keyId }: AgentCaller,
  inChargeKeyId: string,
): Promise<void> {
  const event = {
    ...{ type: EventType.SECOND_AGENT_REFUSED, siteId, participantId },
    isTest: mode === "test",
    secondAgent: { keyId, inChargeKeyId },
  };
  await participantEvents.append(`second-agent:${keyId}:${inChargeKeyId}`, event, now());
}
