import { createHmac } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { enrolmentIdOf } from "@petak/credential";
import {
  type CreateEnrolmentCodeRequest,
  CreateEnrolmentCodeRequestSchema,
  type CreateEnrolmentCodeResponse,
  CreateEnrolmentCodeResponseSchema,
  EnrolmentSchema,
  enrolmentSecretLength,
  formatEnrolmentCode,
  Mode,
  readEnrolmentCode,
  unpackBase32,
} from "@petak/protocol";
import type { Enrolments, RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { enrolmentView } from "./enrolment-view.ts";

export interface CreateEnrolmentCodeDependencies {
  sites: Pick<SiteStore, "find">;
  enrolments: Pick<Enrolments, "add" | "find">;
  requestIds: Pick<RequestIds, "claim">;
  /** The secret of the gateways from which codes are derived: 32 bytes. */
  derivationKey: Uint8Array;
  now: () => number;
}

/** How long a code can be used, in ms: as long as it takes to walk to the device. */
const validMs = 3_600_000;

/**
 * Makes the code by which a device enrols at a site of the caller. It is derived from the request and the gateway's secret, so that a duplicate gives the same
 * one although it is stored nowhere.
 *
 * @throws {PetakError} SITE_NOT_FOUND if the site does not exist in the network of the caller's key, or is another operator's.
 */
export async function createEnrolmentCode(
  { sites, enrolments, requestIds, derivationKey, now }: CreateEnrolmentCodeDependencies,
  request: CreateEnrolmentCodeRequest,
  caller: ParticipantCaller,
): Promise<CreateEnrolmentCodeResponse> {
  const { siteId, label } = request;
  const { participantId } = caller;
  await findOwnSite(sites, siteId, caller);
  await claimRequest(requestIds, caller, CreateEnrolmentCodeRequestSchema, request);
  const code = deriveCode(derivationKey, participantId, request.requestId);
  const enrolmentId = await enrolmentIdOf(readEnrolmentCode(code) ?? "");
  const made = create(EnrolmentSchema, {
    ...{ enrolmentId, participantId, siteId, label },
    mode: caller.mode === "live" ? Mode.LIVE : Mode.TEST,
    byKeyId: caller.keyId,
    createdAt: timestampFromMs(now()),
    expiresAt: timestampFromMs(now() + validMs),
  });
  await enrolments.add(made);
  const { enrolment = made, end } = (await enrolments.find(enrolmentId)) ?? {};
  return create(CreateEnrolmentCodeResponseSchema, { code, enrolment: enrolmentView(enrolment, end, now()) });
}

function deriveCode(derivationKey: Uint8Array, participantId: string, requestId: string): string {
  const digest = createHmac("sha256", derivationKey).update(`petak enrolment code\0${participantId}\0${requestId}`).digest();
  return formatEnrolmentCode(unpackBase32(digest).slice(0, enrolmentSecretLength));
}
