import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { participantParty, putBundle as put } from "@petak/lifecycle";
import {
  BundleSchema,
  formatBundleId,
  type PutBundleRequest,
  PutBundleRequestSchema,
  type PutBundleResponse,
  PutBundleResponseSchema,
  parseReservationId,
} from "@petak/protocol";
import { reservationNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type PutBundleDependencies = Pick<ReservationDependencies, "bundleChanges" | "issuedCredentials" | "storeCode" | "now">;

/** Length of a bundle's handle, in characters of five bits. */
const handleLength = 16;

/** Makes a bundle of reservations at one site, or replaces its reservations. */
export async function putBundle(
  { bundleChanges, issuedCredentials, storeCode, now }: PutBundleDependencies,
  request: PutBundleRequest,
  caller: ParticipantCaller,
): Promise<PutBundleResponse> {
  const { requestId, reservationIds } = request;
  const [firstId = ""] = reservationIds;
  const region = parseReservationId(firstId)?.region;
  if (region === undefined) throw reservationNotFound(firstId);
  const isNew = request.bundleId === "";
  // The id is derived from the request, so that a duplicate finds the same bundle.
  const bundleId = isNew ? formatBundleId(region, derivedId(storeCode, caller, request, handleLength)) : request.bundleId;
  const stored = await bundleChanges.change({
    caller,
    requestId,
    fingerprint: fingerprintOf(PutBundleRequestSchema, request),
    bundleId,
    isNew,
    plan: async (before) => {
      const atMs = now();
      const members = await bundleChanges.findMembers(reservationIds, caller);
      const siteId = before?.siteId ?? members[0]?.siteId ?? "";
      const earlier = before === undefined ? [] : await bundleChanges.membersOf(before);
      const transition = put(before, { bundleId, actor: participantParty(caller), members, earlier }, atMs);
      const leaving = transition.reservations.filter(({ after }) => after?.bundleId === "");
      const leavingIds = leaving.map((one) => one.before.reservationId);
      await issuedCredentials.leaveBundle(leavingIds, bundleId, atMs);
      return { transition, siteId, nowMs: atMs, isRepeatable: true, response: toBinary(BundleSchema, transition.after) };
    },
  });
  return create(PutBundleResponseSchema, { bundle: fromBinary(BundleSchema, stored) });
}
