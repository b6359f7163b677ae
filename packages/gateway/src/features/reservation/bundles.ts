import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { bundleCredentialIssued, collectableOf, participantParty, putBundle } from "@petak/lifecycle";
import {
  Act,
  BundleSchema,
  formatBundleId,
  IssueBundleCredentialRequestSchema,
  PutBundleRequestSchema,
  parseReservationId,
  type ReservationService,
} from "@petak/protocol";
import type { TermsBook } from "@petak/records";
import { type Allocator, reservationNotFound } from "@petak/records";
import { requireParticipant } from "../../identity/index.ts";
import type { BundleChanges } from "../idempotency/change-bundle.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";

/** Characters of a bundle's handle, five bits each. */
const handleLength = 16;

/** The calls about bundles. */
export function createBundleCalls({
  allocator,
  changes,
  credentials,
  termsBook,
  now,
}: {
  allocator: Allocator;
  changes: BundleChanges;
  credentials: CredentialIssuer;
  termsBook: TermsBook;
  now: () => number;
}): Pick<ServiceImpl<typeof ReservationService>, "putBundle" | "getBundle" | "issueBundleCredential"> {
  return {
    async putBundle(request, context) {
      const caller = requireParticipant(context);
      const { requestId, reservationIds } = request;
      const [firstId = ""] = reservationIds;
      const region = parseReservationId(firstId)?.region;
      if (region === undefined) throw reservationNotFound(firstId);
      const isNew = request.bundleId === "";
      // It follows from the request, so that a repetition finds the same one.
      const bundleId = isNew ? formatBundleId(region, derivedId(caller.participantId, requestId, handleLength)) : request.bundleId;
      const answer = await changes.change({
        caller,
        requestId,
        fingerprint: fingerprintOf(PutBundleRequestSchema, request),
        bundleId,
        isNew,
        plan: async (before) => {
          const atMs = now();
          const members = await changes.findMembers(reservationIds, caller);
          const siteId = before?.siteId ?? members[0]?.siteId ?? "";
          const earlier = before === undefined ? [] : await changes.membersOf(before);
          const facts = { bundleId, actor: participantParty(caller), members, earlier };
          const transition = putBundle(before, facts, atMs);
          return { transition, siteId, nowMs: atMs, answer: toBinary(BundleSchema, transition.after) };
        },
      });
      return { bundle: fromBinary(BundleSchema, answer) };
    },

    async getBundle(request, context) {
      const bundle = await changes.findOwn(request.bundleId, requireParticipant(context));
      const found = await Promise.all(bundle.reservationIds.map(allocator.reservations.find));
      return { bundle, reservations: found.flatMap((reservation) => reservation ?? []) };
    },

    async issueBundleCredential(request, context) {
      const caller = requireParticipant(context);
      const { requestId, bundleId, withPin } = request;
      const { siteId } = await changes.findOwn(bundleId, caller);
      const subject = { siteId, subjectId: bundleId };
      const answer = await changes.change({
        caller,
        requestId,
        fingerprint: fingerprintOf(IssueBundleCredentialRequestSchema, request),
        bundleId,
        isNew: false,
        plan: async (before, attempt) => {
          const atMs = now();
          const collectable = collectableOf(before === undefined ? [] : await changes.membersOf(before), bundleId, atMs);
          const validities = await Promise.all(
            collectable.map(async (one) => credentials.validity(one, await termsBook.of(one), Act.COLLECT, atMs)),
          );
          const expiresAtS = Math.max(...validities.map((validity) => validity.expiresAtS));
          const terms = { notBeforeS: Math.floor(atMs / 1000), expiresAtS, attempt, sizeClassIndex: 0 };
          const pin = withPin ? await credentials.pinEntry(subject, requestId, terms) : undefined;
          const transition = bundleCredentialIssued(before, { bundleId, actor: participantParty(caller), pin, collectable }, atMs);
          return { transition, siteId, nowMs: atMs, answer: credentials.encodeTerms(terms) };
        },
      });
      return credentials.issue({ ...subject, requestId, act: Act.COLLECT, withPin, terms: credentials.decodeTerms(answer) });
    },
  };
}
