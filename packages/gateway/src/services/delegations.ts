import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type AccessTokenClaims, credentialHash, isLowOrderPoint, judgeAccessToken } from "@petak/credential";
import {
  Act,
  type DelegateCredentialRequest,
  DelegateCredentialRequestSchema,
  DelegationSchema,
  EventType,
  invalidField,
  PetakError,
  ProofKind,
  type Reservation,
  type ReservationService,
  ReservationState,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import { collectableOf } from "../domain/bundle-members.ts";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { refuseAct } from "../domain/issue-rules.ts";
import { changed, illegalState } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { type CredentialRecord, revokedHashes, withDelegation, withRevocation } from "../domain/revocations.ts";
import { type ParticipantCaller, requireParticipant } from "../identity/index.ts";
import type { BundleChanges } from "./bundle-changes.ts";
import type { CredentialIssuer, CredentialTerms } from "./credential-issuer.ts";
import { openingTerms } from "./opening-terms.ts";
import type { ReservationChanges } from "./reservation-changes.ts";
import type { RevokeService } from "./revoke-service.ts";

const dayMs = 86_400_000;

/** How long a delegate's credential opens where nobody says, in ms. */
const delegationDefaultMs = dayMs;

/** How long it opens at most, in ms: an agent that is offline cannot hear that it was revoked, so its end must be near. */
const delegationMaxMs = 3 * dayMs;

/** States in which a credential of a reservation may be about. */
const revocableStates: ReadonlySet<ReservationState> = new Set([
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
  ReservationState.IN_DOUBT,
]);

interface Hashes {
  credentialHash: string;
  parentCredentialHash?: string;
}

/** The calls that make a narrower credential of one, and that end credentials. */
export function createDelegationCalls({
  reservationChanges,
  bundleChanges,
  credentials,
  revokeService,
  now,
}: {
  reservationChanges: ReservationChanges;
  bundleChanges: BundleChanges;
  credentials: CredentialIssuer;
  revokeService: RevokeService;
  now: () => number;
}): Pick<ServiceImpl<typeof ReservationService>, "delegateCredential" | "revokeCredential"> {
  /** What a token says whose signature is good. Whether it may be delegated is {@link refuseParent}'s to say: a repetition may come late. */
  async function claimsOf(token: string): Promise<AccessTokenClaims> {
    const nowMs = now();
    const judgement = await judgeAccessToken({ token, trustBundle: credentials.trustBundle(nowMs), siteId: undefined, nowMs });
    if (judgement.claims === undefined) throw notAccepted(judgement.ok ? "CLAIMS" : judgement.refusal);
    return judgement.claims;
  }

  function eventOf(type: EventType, reservation: Reservation, hashes: Hashes, bundleId: string, caller: ParticipantCaller, atMs: number) {
    const proof = { kind: hashes.credentialHash === "" ? ProofKind.PIN : ProofKind.ACCESS_TOKEN, ...hashes };
    return reservationEvent({ type, reservation, bundleId, proof, actor: participantParty(caller), occurredAtMs: atMs });
  }

  return {
    async delegateCredential(request, context) {
      const caller = requireParticipant(context);
      const { requestId } = request;
      const parent = await claimsOf(request.accessToken);
      const { siteId, bundleId = "", reservationId } = parent;
      const subject = { siteId, subjectId: bundleId === "" ? reservationId : bundleId };
      const parentCredentialHash = await credentialHash(parent.tokenId);
      const issue = (terms: CredentialTerms) =>
        credentials.issue({
          ...{ ...subject, requestId, terms, act: Act.COLLECT, withPin: false, isDelegated: true },
          holderPublicKey: request.holderPublicKey,
        });
      const fingerprint = fingerprintOf(DelegateCredentialRequestSchema, request);

      /** What is written, where it may be. */
      async function plan(record: CredentialRecord, atMs: number) {
        refuseParent(parent, record, parentCredentialHash, atMs);
        refuseHolder(parent, request);
        const terms = await openingTerms(childTerms(parent, request, atMs), revokedHashes(record), issue);
        const hashes = { credentialHash: (await issue(terms)).credentialHash, parentCredentialHash };
        const delegation = create(DelegationSchema, {
          ...hashes,
          delegatedAt: timestampFromMs(atMs),
          expiresAt: timestampFromMs(terms.expiresAtS * 1000),
        });
        const change = withDelegation(record, delegation, subject.subjectId);
        return { change, hashes, answer: credentials.encodeTerms(terms) };
      }

      const answer =
        bundleId === ""
          ? await reservationChanges.change({
              ...{ caller, requestId, reservationId, fingerprint, changer: "owner" },
              plan: async (before) => {
                const atMs = now();
                refuseAct(before, Act.COLLECT, atMs);
                const { answer, change, hashes } = await plan(before, atMs);
                const after = changed(before, atMs, change);
                const event = eventOf(EventType.CREDENTIAL_DELEGATED, after, hashes, "", caller, atMs);
                return { after, heldChange: 0, occupiedChange: 0, events: [event], answer };
              },
            })
          : await bundleChanges.change({
              ...{ caller, requestId, bundleId, fingerprint, isNew: false },
              plan: async (before) => {
                const atMs = now();
                if (before === undefined) throw new Error("a bundle that must be there is not");
                const collectable = collectableOf(await bundleChanges.membersOf(before), bundleId, atMs);
                const { answer, change, hashes } = await plan(before, atMs);
                const after = { ...before, ...change, revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
                return {
                  siteId,
                  after,
                  nowMs: atMs,
                  reservations: collectable.map((one) => ({
                    before: one,
                    event: eventOf(EventType.CREDENTIAL_DELEGATED, one, hashes, bundleId, caller, atMs),
                  })),
                  answer,
                };
              },
            });
      const { pin: _pin, ...issued } = await issue(credentials.decodeTerms(answer));
      return { ...issued, parentCredentialHash };
    },

    async revokeCredential(request, context) {
      const caller = requireParticipant(context);
      const { requestId, subject, credentialHash: revoked } = request;
      if (subject.case === "siteId") {
        await revokeService(request, subject.value, requireParticipant(context, { roles: [Role.OPERATOR] }));
        return {};
      }
      if (revoked === "" && !request.pin) {
        const what = "name the access token by its credential_hash, set pin, or both";
        throw invalidField("credential_hash", what, "revoke_credential.what");
      }
      const fingerprint = fingerprintOf(RevokeCredentialRequestSchema, request);
      const record = (before: CredentialRecord, atMs: number) =>
        revoked === "" ? {} : withRevocation(before, revoked, atMs, subject.value ?? "");
      const pin = request.pin ? { pin: null } : {};
      const answer = new Uint8Array();
      if (subject.case === "bundleId") {
        const bundleId = subject.value;
        await bundleChanges.change({
          ...{ caller, requestId, bundleId, fingerprint, isNew: false },
          plan: async (before) => {
            const atMs = now();
            if (before === undefined) throw new Error("a bundle that must be there is not");
            const members = await bundleChanges.membersOf(before);
            const after = { ...before, ...record(before, atMs), revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
            return {
              siteId: before.siteId,
              after,
              nowMs: atMs,
              ...pin,
              reservations: members
                .filter((one) => revocableStates.has(one.state))
                .map((one) => ({
                  before: one,
                  event: eventOf(EventType.CREDENTIAL_REVOKED, one, { credentialHash: revoked }, bundleId, caller, atMs),
                })),
              answer,
            };
          },
        });
        return {};
      }
      await reservationChanges.change({
        ...{ caller, requestId, reservationId: subject.value ?? "", fingerprint, changer: "owner" },
        plan: async (before) => {
          const atMs = now();
          if (!revocableStates.has(before.state)) {
            throw illegalState(before, ReservationState.COLLECTED, ": no credential opens for it that could be revoked");
          }
          const after = changed(before, atMs, record(before, atMs));
          const event = eventOf(EventType.CREDENTIAL_REVOKED, after, { credentialHash: revoked }, "", caller, atMs);
          return { after, heldChange: 0, occupiedChange: 0, ...pin, events: [event], answer };
        },
      });
      return {};
    },
  };
}

/** Refuses a credential of which no narrower one may be made. */
function refuseParent(parent: AccessTokenClaims, record: CredentialRecord, hash: string, atMs: number): void {
  if (parent.act !== Act.COLLECT) throw notAccepted("TYPE");
  if (parent.isDelegated) throw notAccepted("DELEGATED");
  // In its last second there is none left for the narrower one to be good in.
  if (parent.expiresAtMs - 1000 <= atMs) throw notAccepted("EXPIRED");
  if (revokedHashes(record).includes(hash)) throw notAccepted("REVOKED");
}

/** What is made of a credential must not open more easily than that one. */
function refuseHolder({ bundleId = "", holderKeyHash }: AccessTokenClaims, { holderPublicKey }: DelegateCredentialRequest): void {
  if (holderKeyHash !== undefined && holderPublicKey === undefined) {
    const why = "is needed: the access token is bound to a key, so what is made of it must be";
    throw invalidField("holder_public_key", why, "delegate_credential.bound");
  }
  if (holderPublicKey !== undefined && isLowOrderPoint(holderPublicKey)) {
    throw invalidField("holder_public_key", "is a point of low order, for which signatures prove nothing", "delegate_credential.order");
  }
  if (bundleId !== "" && holderPublicKey !== undefined) {
    throw invalidField("holder_public_key", "is not for a bundle's credentials", "delegate_credential.bundle");
  }
}

function childTerms(parent: AccessTokenClaims, { expiresAt }: DelegateCredentialRequest, atMs: number): CredentialTerms {
  const wantedMs = expiresAt === undefined ? atMs + delegationDefaultMs : timestampMs(expiresAt);
  const notBeforeS = Math.floor(atMs / 1000);
  const expiresAtS = Math.floor(Math.min(wantedMs, atMs + delegationMaxMs, parent.expiresAtMs) / 1000);
  if (expiresAtS <= notBeforeS) {
    throw invalidField("expires_at", "must be later than now, by a second at least", "delegate_credential.expires_at");
  }
  return { notBeforeS, expiresAtS, attempt: 0, sizeClassIndex: parent.sizeClassIndex };
}

function notAccepted(refusal: string): PetakError {
  return new PetakError("CREDENTIAL_NOT_ACCEPTED", `no credential can be made of the one that was shown: ${refusal}`, {
    metadata: { refusal, subject: "access_token" },
  });
}
