import { create } from "@bufbuild/protobuf";
import {
  PetakError,
  type TakeOverSiteRequest,
  TakeOverSiteRequestSchema,
  type TakeOverSiteResponse,
  TakeOverSiteResponseSchema,
} from "@petak/protocol";
import type { AgentLeases, ParticipantStore, RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import type { PinRotation } from "./pin-rotation.ts";

export interface TakeOverSiteDependencies {
  sites: Pick<SiteStore, "find">;
  participants: Pick<ParticipantStore, "findKey">;
  requestIds: Pick<RequestIds, "claim">;
  leases: Pick<AgentLeases, "letGoOn">;
  pinRotation: Pick<PinRotation, "rotate">;
  now: () => number;
}

/**
 * Lets the device with an earlier epoch of a key go on at a site of the caller, and refuses the one that goes on now. The site's PINs end, since there are two
 * disks with their key.
 *
 * @param onChange called after the first write, after which the call may still be refused
 * @throws {PetakError} KEY_NOT_FOUND if the key is no agent's of that site; AGENT_EPOCH_UNKNOWN if that epoch was never given to it.
 */
export async function takeOverSite(
  { sites, participants, requestIds, leases, pinRotation, now }: TakeOverSiteDependencies,
  request: TakeOverSiteRequest,
  caller: ParticipantCaller,
  onChange: () => void,
): Promise<TakeOverSiteResponse> {
  const { requestId, siteId, keyId, heldEpoch } = request;
  await findOwnSite(sites, siteId, caller);
  await claimRequest(requestIds, caller, TakeOverSiteRequestSchema, request);
  const key = await participants.findKey(keyId);
  if (key?.siteId !== siteId) {
    throw new PetakError("KEY_NOT_FOUND", `key ${JSON.stringify(keyId)} does not exist, or is no agent's key of ${siteId}`, {
      metadata: { key_id: keyId },
    });
  }
  const last = await leases.letGoOn({ siteId, keyId, heldEpoch, requestId, nowMs: now() });
  if (last !== undefined) {
    throw new PetakError(
      "AGENT_EPOCH_UNKNOWN",
      `epoch ${heldEpoch} was never given to ${keyId}, ${last === 0 ? "to which none was given" : `whose last is ${last}`}; the event SECOND_AGENT_REFUSED names both epochs`,
      { metadata: { held_epoch: String(heldEpoch), current_epoch: String(last), subject: keyId } },
    );
  }
  onChange();
  await pinRotation.rotate({ siteId, participantId: caller.participantId }, `takeover ${requestId}`);
  return create(TakeOverSiteResponseSchema);
}
