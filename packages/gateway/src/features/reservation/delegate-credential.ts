import { create } from "@bufbuild/protobuf";
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
  revokedHashes,
} from "@petak/lifecycle";
import {
  Act,
  type DelegateCredentialRequest,
  DelegateCredentialRequestSchema,
  type DelegateCredentialResponse,
  DelegateCredentialResponseSchema,
  invalidField,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { CredentialTerms } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { openingTerms } from "./opening-terms.ts";
import { recordIssued } from "./record-issued.ts";

export type DelegateCredentialDependencies = Pick<
  ReservationDependencies,
  "changes" | "bundleChanges" | "credentials" | "issuedCredentials" | "now"
>;

/** Makes a narrower access token from a COLLECT token, for another person. */
export async function delegateCredential(
  dependencies: DelegateCredentialDependencies,
  request: DelegateCredentialRequest,
  caller: ParticipantCaller,
): Promise<DelegateCredentialResponse> {
  const { changes, bundleChanges, credentials, now } = dependencies;
  const { requestId } = request;
  const parent = await claimsOf(request.accessToken, dependencies);
  const { siteId, bundleId = "", reservationId } = parent;
  const subject = { siteId, subjectId: bundleId === "" ? reservationId : bundleId };
  const parentCredentialHash = await credentialHash(parent.tokenId);
  const issue = (terms: CredentialTerms) =>
    credentials.issue({
      ...{ ...subject, requestId, terms, act: Act.COLLECT, withPin: false, isDelegated: true },
      holderPublicKey: request.holderPublicKey,
    });
  const fingerprint = fingerprintOf(DelegateCredentialRequestSchema, request);

  /** Checks that the delegation is allowed. Gives its terms as the encoded response, and the facts to record. */
  async function prepare(record: CredentialRecord, atMs: number) {
    refuseParent(parent, record, parentCredentialHash, atMs);
    refuseHolder(parent, request);
    const validity = delegationValidity(parent, request.expiresAt, atMs);
    const wanted = { ...validity, attempt: 0, sizeClassIndex: parent.sizeClassIndex };
    const terms = await openingTerms(wanted, revokedHashes(record), issue);
    const { credentialHash } = await issue(terms);
    const facts = { actor: participantParty(caller), credentialHash, parentCredentialHash, expiresAtS: terms.expiresAtS };
    return { facts, response: credentials.encodeTerms(terms) };
  }

  const stored =
    bundleId === ""
      ? await changes.change({
          ...{ caller, requestId, reservationId, fingerprint, changer: "owner" },
          plan: async (before) => {
            const atMs = now();
            refuseAct(before, Act.COLLECT, atMs);
            const { response, facts } = await prepare(before, atMs);
            return { transition: delegate(before, facts, atMs), response };
          },
        })
      : await bundleChanges.change({
          ...{ caller, requestId, bundleId, fingerprint, isNew: false },
          plan: async (before) => {
            const atMs = now();
            if (before === undefined) throw new Error("an existing bundle was not read");
            const collectable = collectableOf(await bundleChanges.membersOf(before), bundleId, atMs);
            const { response, facts } = await prepare(before, atMs);
            return { transition: delegateOfBundle(before, { ...facts, collectable }, atMs), siteId, nowMs: atMs, response };
          },
        });
  const terms = credentials.decodeTerms(stored);
  const { pin: _pin, ...issued } = await issue(terms);
  const { holderPublicKey } = request;
  await recordIssued(dependencies, { ...subject, issued, act: Act.COLLECT, withPin: false, holderPublicKey, requestId, terms });
  return create(DelegateCredentialResponseSchema, { ...issued, parentCredentialHash });
}

/**
 * The claims of a token with a valid signature. Whether it may be delegated is decided later, by {@link refuseParent}: a duplicate may arrive after the
 * token has expired.
 */
async function claimsOf(
  token: string,
  { credentials, now }: Pick<DelegateCredentialDependencies, "credentials" | "now">,
): Promise<AccessTokenClaims> {
  const nowMs = now();
  const judgement = await judgeAccessToken({ token, trustBundle: credentials.trustBundle(nowMs), siteId: undefined, nowMs });
  if (judgement.claims === undefined) throw notAccepted(judgement.ok ? "CLAIMS" : judgement.refusal);
  return judgement.claims;
}

/** Refuses a delegation that would be weaker than its parent. */
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
