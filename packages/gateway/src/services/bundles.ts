import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  Act,
  type Bundle,
  BundleSchema,
  EventType,
  formatBundleId,
  IssueBundleCredentialRequestSchema,
  PutBundleRequestSchema,
  parseReservationId,
  type Reservation,
  type ReservationService,
} from "@petak/protocol";
import { type Allocator, reservationNotFound } from "@petak/records";
import { collectableOf, refuseMismatch } from "../domain/bundle-members.ts";
import { derivedId } from "../domain/derived-id.ts";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { hasEnded } from "../domain/has-ended.ts";
import { changed } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { type ParticipantCaller, requireParticipant } from "../identity/index.ts";
import type { TermsBook } from "../stores/terms-book.ts";
import type { BundleChanges } from "./bundle-changes.ts";
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
  function eventOf(type: EventType, reservation: Reservation, bundleId: string, caller: ParticipantCaller, atMs: number) {
    return reservationEvent({ type, reservation, bundleId, actor: participantParty(caller), occurredAtMs: atMs });
  }

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
          refuseMismatch(members, bundleId, siteId, atMs);
          const leaving =
            before === undefined ? [] : (await changes.membersOf(before)).filter((one) => !reservationIds.includes(one.reservationId));
          const after = putBundle(before, members, bundleId, atMs);
          return {
            siteId,
            after,
            nowMs: atMs,
            reservations: [
              ...members.flatMap((one) => {
                // One that is over stays as it is, and may have left the records for the archive.
                if (one.bundleId === bundleId) return hasEnded(one) ? [] : { before: one };
                const joined = changed(one, atMs, { bundleId });
                return { before: one, after: joined, event: eventOf(EventType.RESERVATION_BUNDLED, joined, bundleId, caller, atMs) };
              }),
              // What is over stays as it was: its record says what was.
              ...leaving
                .filter((one) => !hasEnded(one))
                .map((one) => {
                  const left = changed(one, atMs, { bundleId: "" });
                  return { before: one, after: left, event: eventOf(EventType.RESERVATION_UNBUNDLED, left, bundleId, caller, atMs) };
                }),
            ],
            answer: toBinary(BundleSchema, after),
          };
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
          return {
            siteId,
            nowMs: atMs,
            ...(withPin ? { pin: await credentials.pinEntry(subject, requestId, terms) } : {}),
            reservations: collectable.map((one) => ({
              before: one,
              event: eventOf(EventType.CREDENTIAL_ISSUED, one, bundleId, caller, atMs),
            })),
            answer: credentials.encodeTerms(terms),
          };
        },
      });
      return credentials.issue({ ...subject, requestId, act: Act.COLLECT, withPin, terms: credentials.decodeTerms(answer) });
    },
  };
}

function putBundle(before: Bundle | undefined, members: readonly Reservation[], bundleId: string, atMs: number): Bundle {
  const [first] = members;
  const reservationIds = members.map(({ reservationId }) => reservationId);
  const updatedAt = timestampFromMs(atMs);
  if (before !== undefined) return { ...before, reservationIds, updatedAt, revision: before.revision + 1 };
  const { siteId = "", operatorId = "", participantId = "", isTest = false } = first ?? {};
  return create(BundleSchema, {
    ...{ bundleId, siteId, operatorId, participantId, isTest, reservationIds },
    ...(first?.collector && { collector: first.collector }),
    revision: 1,
    createdAt: updatedAt,
    updatedAt,
  });
}
