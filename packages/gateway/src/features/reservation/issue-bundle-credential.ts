import { create } from "@bufbuild/protobuf";
import { bundleCredentialIssued, collectableOf, participantParty } from "@petak/lifecycle";
import {
  Act,
  type IssueBundleCredentialRequest,
  IssueBundleCredentialRequestSchema,
  type IssueBundleCredentialResponse,
  IssueBundleCredentialResponseSchema,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { recordIssued } from "./record-issued.ts";

export type IssueBundleCredentialDependencies = Pick<
  ReservationDependencies,
  "bundleChanges" | "credentials" | "issuedCredentials" | "termsBook" | "now"
>;

/** Issues one COLLECT credential for all parcels of a bundle. */
export async function issueBundleCredential(
  dependencies: IssueBundleCredentialDependencies,
  request: IssueBundleCredentialRequest,
  caller: ParticipantCaller,
): Promise<IssueBundleCredentialResponse> {
  const { bundleChanges, credentials, termsBook, now } = dependencies;
  const { requestId, bundleId, withPin } = request;
  const { siteId } = await bundleChanges.findOwn(bundleId, caller);
  const subject = { siteId, subjectId: bundleId };
  const stored = await bundleChanges.change({
    caller,
    requestId,
    fingerprint: fingerprintOf(IssueBundleCredentialRequestSchema, request),
    bundleId,
    isNew: false,
    plan: async (before, attempt) => {
      const atMs = now();
      const collectable = collectableOf(before === undefined ? [] : await bundleChanges.membersOf(before), bundleId, atMs);
      const validities = await Promise.all(
        collectable.map(async (one) => credentials.validity(one, await termsBook.of(one), Act.COLLECT, atMs)),
      );
      const expiresAtS = Math.max(...validities.map((validity) => validity.expiresAtS));
      const terms = { notBeforeS: Math.floor(atMs / 1000), expiresAtS, attempt, sizeClassIndex: 0 };
      const pin = withPin ? await credentials.pinEntry(subject, requestId, terms) : undefined;
      const transition = bundleCredentialIssued(before, { bundleId, actor: participantParty(caller), pin, collectable }, atMs);
      return { transition, siteId, nowMs: atMs, isRepeatable: true, response: credentials.encodeTerms(terms) };
    },
  });
  const what = { ...subject, requestId, act: Act.COLLECT, withPin, terms: credentials.decodeTerms(stored) };
  const issued = await credentials.issue(what);
  await recordIssued(dependencies, { ...what, issued });
  return create(IssueBundleCredentialResponseSchema, issued);
}
