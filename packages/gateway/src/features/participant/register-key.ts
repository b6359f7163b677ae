import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { isLowOrderPoint, judgeKeyPossession } from "@petak/credential";
import {
  invalidField,
  KeySchema,
  PetakError,
  type RegisterKeyRequest,
  RegisterKeyRequestSchema,
  type RegisterKeyResponse,
  RegisterKeyResponseSchema,
} from "@petak/protocol";
import type { ParticipantEvents, ParticipantStore, RequestIds, SiteStore } from "@petak/records";
import { type CachedKeyDirectory, modeName } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { tellOfNewKey } from "../keys/key-event.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { findSubject, refuseAdminFromTest, refuseLiveFromTest } from "./subject.ts";

export interface RegisterKeyDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  participants: Pick<ParticipantStore, "find" | "addKey" | "keysOf">;
  sites: Pick<SiteStore, "find">;
  keyDirectory: Pick<CachedKeyDirectory, "forget">;
  requestIds: Pick<RequestIds, "claim">;
  participantEvents: ParticipantEvents;
  /** The gateway's audience. */
  audience: string;
  now: () => number;
}

/** Registers a public key of a participant or of its site's agent. The key's id is derived from the request, so that a duplicate gives the same one. */
export async function registerKey(
  { storeCode, participants, sites, keyDirectory, requestIds, participantEvents, audience, now }: RegisterKeyDependencies,
  request: RegisterKeyRequest,
  caller: ParticipantCaller,
): Promise<RegisterKeyResponse> {
  const { mode, publicKey, siteId, label } = request;
  refuseLiveFromTest(caller, mode);
  const { participantId, roles } = await findSubject(participants, request.participantId, caller);
  refuseAdminFromTest(caller, roles);
  if (isLowOrderPoint(publicKey)) {
    throw invalidField("public_key", "must not be a point of low order: signatures by it prove nothing", "register_key.order");
  }
  if (siteId !== "") await findOwnSite(sites, siteId, { participantId, mode: modeName(mode) });
  const registration = { participantId, mode: modeName(mode), siteId, requestId: request.requestId };
  const fault = await judgeKeyPossession(request.possessionProof, publicKey, audience, registration);
  if (fault !== undefined) {
    throw new PetakError(
      "KEY_POSSESSION_UNPROVEN",
      `possession_proof must be a JWS by the new key for this registration, and is not: see ${fault}; docs/credentials.md says how to make it`,
      { metadata: { claim: fault } },
    );
  }
  await claimRequest(requestIds, caller, RegisterKeyRequestSchema, request);
  const key = create(KeySchema, {
    keyId: `key_${modeName(mode)}_${derivedId(storeCode, caller, request, 16)}`,
    participantId,
    publicKey,
    mode,
    siteId,
    label,
    createdAt: timestampFromMs(now()),
  });
  const registered = await participants.addKey(key, () => tellOfNewKey({ participants, participantEvents }, key, caller, now()));
  keyDirectory.forget(registered.keyId);
  return create(RegisterKeyResponseSchema, { key: registered });
}
