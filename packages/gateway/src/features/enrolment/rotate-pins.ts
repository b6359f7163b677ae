import { create } from "@bufbuild/protobuf";
import { type RotatePinsRequest, RotatePinsRequestSchema, type RotatePinsResponse, RotatePinsResponseSchema } from "@petak/protocol";
import type { RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import type { PinRotation } from "./pin-rotation.ts";

export interface RotatePinsDependencies {
  sites: Pick<SiteStore, "find">;
  requestIds: Pick<RequestIds, "claim">;
  pinRotation: Pick<PinRotation, "rotate">;
}

/** Ends all PINs of a site of the caller, with the key under which they are hashed. @param onChange called before the first write, after which the call may still be refused */
export async function rotatePins(
  { sites, requestIds, pinRotation }: RotatePinsDependencies,
  request: RotatePinsRequest,
  caller: ParticipantCaller,
  onChange: () => void,
): Promise<RotatePinsResponse> {
  const { siteId, requestId } = request;
  const { participantId } = caller;
  await findOwnSite(sites, siteId, caller);
  await claimRequest(requestIds, caller, RotatePinsRequestSchema, request);
  onChange();
  return create(RotatePinsResponseSchema, { endedPins: await pinRotation.rotate({ siteId, participantId }, `asked ${requestId}`) });
}
