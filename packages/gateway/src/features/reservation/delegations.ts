import type { ServiceImpl } from "@connectrpc/connect";
import { type AccessTokenClaims, credentialHash, isLowOrderPoint, judgeAccessToken } from "@petak/credential";
import {
  type CredentialRecord,
  collectableOf,
  delegate,
  delegateOfBundle,
  delegationValidity,
  notAccepted,
  participantParty,
  refuseAct,
  refuseParent,
  revoke,
  revokedHashes,
  revokeOfBundle,
} from "@petak/lifecycle";
import {
  Act,
  type DelegateCredentialRequest,
  DelegateCredentialRequestSchema,
  invalidField,
  type ReservationService,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import { requireParticipant } from "../../identity/index.ts";
import type { BundleChanges } from "../idempotency/change-bundle.ts";
import type { ReservationChanges } from "../idempotency/change-reservation.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { CredentialIssuer, CredentialTerms } from "./credential-issuer.ts";
import { openingTerms } from "./opening-terms.ts";
import type { RevokeService } from "./revoke-service.ts";

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

      /** The terms of the narrower credential, where it may be made, and what is recorded of it. */
      async function made(record: CredentialRecord, atMs: number) {
        refuseParent(parent, record, parentCredentialHash, atMs);
        refuseHolder(parent, request);
        const validity = delegationValidity(parent, request.expiresAt, atMs);
        const wanted = { ...validity, attempt: 0, sizeClassIndex: parent.sizeClassIndex };
        const terms = await openingTerms(wanted, revokedHashes(record), issue);
        const { credentialHash } = await issue(terms);
        const facts = { actor: participantParty(caller), credentialHash, parentCredentialHash, expiresAtS: terms.expiresAtS };
        return { facts, answer: credentials.encodeTerms(terms) };
      }

      const answer =
        bundleId === ""
          ? await reservationChanges.change({
              ...{ caller, requestId, reservationId, fingerprint, changer: "owner" },
              plan: async (before) => {
                const atMs = now();
                refuseAct(before, Act.COLLECT, atMs);
                const { answer, facts } = await made(before, atMs);
                return { transition: delegate(before, facts, atMs), answer };
              },
            })
          : await bundleChanges.change({
              ...{ caller, requestId, bundleId, fingerprint, isNew: false },
              plan: async (before) => {
                const atMs = now();
                if (before === undefined) throw new Error("a bundle that must be there is not");
                const collectable = collectableOf(await bundleChanges.membersOf(before), bundleId, atMs);
                const { answer, facts } = await made(before, atMs);
                return { transition: delegateOfBundle(before, { ...facts, collectable }, atMs), siteId, nowMs: atMs, answer };
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
        const what = "must be set unless pin is true";
        throw invalidField("credential_hash", what, "revoke_credential.what");
      }
      const fingerprint = fingerprintOf(RevokeCredentialRequestSchema, request);
      const facts = { actor: participantParty(caller), credentialHash: revoked, endsPin: request.pin };
      const answer = new Uint8Array();
      if (subject.case === "bundleId") {
        const bundleId = subject.value;
        await bundleChanges.change({
          ...{ caller, requestId, bundleId, fingerprint, isNew: false },
          plan: async (before) => {
            const atMs = now();
            if (before === undefined) throw new Error("a bundle that must be there is not");
            const members = await bundleChanges.membersOf(before);
            return { transition: revokeOfBundle(before, { ...facts, members }, atMs), siteId: before.siteId, nowMs: atMs, answer };
          },
        });
        return {};
      }
      await reservationChanges.change({
        ...{ caller, requestId, reservationId: subject.value ?? "", fingerprint, changer: "owner" },
        plan: async (before) => ({ transition: revoke(before, facts, now()), answer }),
      });
      return {};
    },
  };
}

/** What is made of a credential must not open more easily than that one. */
function refuseHolder({ bundleId = "", holderKeyHash }: AccessTokenClaims, { holderPublicKey }: DelegateCredentialRequest): void {
  if (holderKeyHash !== undefined && holderPublicKey === undefined) {
    const why = "is required: the access token is bound to a key, so the delegated token must be bound too";
    throw invalidField("holder_public_key", why, "delegate_credential.bound");
  }
  if (holderPublicKey !== undefined && isLowOrderPoint(holderPublicKey)) {
    throw invalidField(
      "holder_public_key",
      "must not be a point of low order: signatures by it prove nothing",
      "delegate_credential.order",
    );
  }
  if (bundleId !== "" && holderPublicKey !== undefined) {
    throw invalidField("holder_public_key", "must be unset for a bundle's access token", "delegate_credential.bundle");
  }
}
