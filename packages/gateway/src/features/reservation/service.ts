import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { ReservationService, Role } from "@petak/protocol";
import { type CallerShares, createCallerShares } from "../../identity/caller-shares.ts";
import { callerKey, requireParticipant } from "../../identity/index.ts";
import { noteUnchanged } from "../audit/audited.ts";
import { batch, concurrentBatches, type SingleCall } from "./batch.ts";
import { cancel } from "./cancel.ts";
import { confirm } from "./confirm.ts";
import { delegateCredential } from "./delegate-credential.ts";
import { type ReservationParts, reservationDependencies } from "./dependencies.ts";
import { extend } from "./extend.ts";
import { getBundle } from "./get-bundle.ts";
import { getManifest } from "./get-manifest.ts";
import { getReservation } from "./get-reservation.ts";
import { issueBundleCredential } from "./issue-bundle-credential.ts";
import { issueCredential } from "./issue-credential.ts";
import { listReservations } from "./list-reservations.ts";
import { putBundle } from "./put-bundle.ts";
import { redirect } from "./redirect.ts";
import { reserve } from "./reserve.ts";
import { resolveDoubt } from "./resolve-doubt.ts";
import { revokeCredential } from "./revoke-credential.ts";

/** Roles that may make reservations. An overflow policy is the consumer's choice, and only a merchant may state it. */
const bookers = { roles: [Role.COURIER, Role.MERCHANT] };
const policyMakers = { roles: [Role.MERCHANT] };
const operators = { roles: [Role.OPERATOR] };

/** The calls of the service but Batch. */
type SingleCalls = Omit<ServiceImpl<typeof ReservationService>, "batch">;

/**
 * Creates the reservation service: for each call its handler, and the roles that may make it.
 *
 * @param shares of batches in progress
 * @param inBatch wraps the calls as they are made in a batch
 */
export function createReservationService(
  parts: ReservationParts,
  shares: CallerShares = createCallerShares(concurrentBatches),
  inBatch: (calls: SingleCalls) => SingleCalls = (calls) => calls,
): ServiceImpl<typeof ReservationService> {
  const uses = reservationDependencies(parts);
  const calls: SingleCalls = {
    reserve: (request, context) => reserve(uses, request, requireParticipant(context, bookers), context),
    confirm: (request, context) => confirm(uses, request, requireParticipant(context)),
    extend: (request, context) => extend(uses, request, requireParticipant(context)),
    cancel: (request, context) => cancel(uses, request, requireParticipant(context)),
    redirect: (request, context) =>
      redirect(uses, request, requireParticipant(context, request.overflowPolicy === undefined ? bookers : policyMakers), context),
    resolveDoubt: (request, context) => resolveDoubt(uses, request, requireParticipant(context, operators)),
    getReservation: (request, context) => getReservation(uses, request, requireParticipant(context)),
    listReservations: (request, context) => listReservations(uses, request, requireParticipant(context)),
    issueCredential: (request, context) => issueCredential(uses, request, requireParticipant(context)),
    delegateCredential: (request, context) => delegateCredential(uses, request, requireParticipant(context)),
    revokeCredential: (request, context) => revokeCredential(uses, request, requireParticipant(context), noteUnchanged(context)),
    putBundle: (request, context) => putBundle(uses, request, requireParticipant(context)),
    getBundle: (request, context) => getBundle(uses, request, requireParticipant(context)),
    issueBundleCredential: (request, context) => issueBundleCredential(uses, request, requireParticipant(context)),
    getManifest: (request, context) => getManifest(uses, request, requireParticipant(context)),
  };
  const batched = inBatch(calls);
  const makeFor = (context: HandlerContext) => async (call: SingleCall) => {
    parts.growth?.refuseCall(
      `${ReservationService.typeName}/${ReservationService.method[call.case].name}`,
      context.values.get(callerKey)?.mode,
    );
    const handle = batched[call.case] as (request: SingleCall["value"], context: HandlerContext) => unknown;
    return await handle(call.value, context);
  };
  return {
    ...calls,
    batch: (request, context) => batch({ shares, make: makeFor(context) }, request, requireParticipant(context), context),
  };
}
