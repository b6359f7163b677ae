import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CredentialOutcome, CredentialVector, VectorBundle, VectorLockOut, VectorState } from "@petak/conformance";
import { decodeBase64url } from "@petak/credential";
import {
  Act,
  AllowanceSchema,
  BundleAllowanceSchema,
  ProofKind,
  ReservationState,
  SiteLifecycle,
  type TrustBundle,
  TrustBundleSchema,
} from "@petak/protocol";
import { reportedHash } from "../../door/reporter.ts";
import { type Decision, decide } from "../decide.ts";
import type { LockOut } from "../lock-out.ts";
import { personRefusal } from "../refusals.ts";
import type { Credential, DoorSnapshot } from "../snapshot.ts";

/** As many size classes as a site can have. */
const sizeClassIds = ["0", "1", "2", "3", "4", "5", "6", "7"];

const actNames = new Map<number, string>(Object.entries(Act).map(([name, act]) => [act, name]));

/** Decides on the credential of a vector with this agent. */
export async function decideVector(vector: CredentialVector): Promise<CredentialOutcome> {
  return await outcomeOf(await decide(credentialOf(vector), snapshotOf(vector), vector.now_ms));
}

/** The credential of a vector, as it is presented. */
function credentialOf({ credential }: CredentialVector): Credential {
  if (!("token" in credential)) return credential;
  const { token, presence, compartment_id: compartmentId } = credential;
  return { token, ...(presence === undefined ? {} : { presence }), ...(compartmentId === undefined ? {} : { compartmentId }) };
}

/** The agent's snapshot in the situation of a vector. */
function snapshotOf({ trust_bundle, site_id, pin_key, clock_trusted, max_skew_ms, state }: CredentialVector): DoorSnapshot {
  const spent = new Set(state.spent);
  const ages = new Map(state.challenges.map(({ challenge, age_ms }) => [challenge, age_ms]));
  const place = { condition: "OK", door: "CLOSED", reservationId: "" } as const;
  return {
    siteId: site_id,
    service: { lifecycle: lifecycleOf(state.site.lifecycle), draining: state.site.draining },
    sizeClassIds,
    outOfService: new Set(),
    trustBundle: trust_bundle === null ? undefined : bundleOf(trust_bundle),
    pinKey: pin_key === null ? undefined : bytesOf(pin_key),
    allowances: [
      ...state.pins.flatMap((pin) =>
        pin.reservation_id === undefined
          ? []
          : create(AllowanceSchema, {
              reservationId: pin.reservation_id,
              act: Act.COLLECT,
              ...pinOf(pin),
              state: state.over.includes(pin.reservation_id) ? ReservationState.RECALLED : ReservationState.DEPOSITED,
            }),
      ),
      ...state.revoked.flatMap(({ reservation_id, credential_hash }) =>
        reservation_id === undefined
          ? []
          : create(AllowanceSchema, { reservationId: reservation_id, revokedCredentialHashes: [credential_hash] }),
      ),
      ...state.over.flatMap((reservationId) =>
        [Act.DEPOSIT, Act.COLLECT].map((act) => create(AllowanceSchema, { reservationId, act, state: ReservationState.CANCELLED })),
      ),
    ],
    bundles: state.bundles.map(({ bundle_id, reservation_ids }) => {
      const pin = state.pins.find((one) => one.bundle_id === bundle_id);
      return create(BundleAllowanceSchema, {
        bundleId: bundle_id,
        reservationIds: reservation_ids,
        revokedCredentialHashes: state.revoked.flatMap((one) => (one.bundle_id === bundle_id ? one.credential_hash : [])),
        ...(pin === undefined ? {} : pinOf(pin)),
      });
    }),
    revokedServiceHashes: state.revoked.flatMap((one) => (one.site_id === undefined ? [] : one.credential_hash)),
    isSpent: (credentialId) => spent.has(credentialId),
    toCollect: (credentialId) => state.to_collect.find(({ credential_id }) => credential_id === credentialId)?.reservation_ids ?? [],
    hasEnded: (reservationId) => state.ended.includes(reservationId),
    challengeAgeMs: (challenge) => ages.get(challenge),
    visits: state.visits.map(({ credential_id, reservation_id, phase, reopenings, grace_until_ms }) => ({
      compartmentId: "visited",
      credentialId: credential_id,
      proofKind: ProofKind.ACCESS_TOKEN,
      act: Act.DEPOSIT,
      reservationId: reservation_id,
      bundleId: "",
      isDelegated: false,
      phase,
      reopenings,
      graceUntilMs: grace_until_ms,
    })),
    compartments: [
      ...state.compartments.map(({ compartment_id, reservation_id, occupied }) => ({
        ...place,
        compartmentId: compartment_id,
        sizeClassId: "0",
        reservationId: reservation_id,
        occupancy: occupied ? ("OCCUPIED" as const) : ("EMPTY" as const),
      })),
      ...state.free_size_classes.map((sizeClass) => ({
        ...place,
        compartmentId: `free${sizeClass}`,
        sizeClassId: String(sizeClass),
        occupancy: "EMPTY" as const,
      })),
      ...state.inside.map((reservationId, index) => ({
        ...place,
        compartmentId: `full${index}`,
        sizeClassId: "0",
        reservationId,
        occupancy: "OCCUPIED" as const,
      })),
    ],
    lockOut: {
      failures: state.lock_out.failures,
      lastFailureMs: state.lock_out.last_failure_ms,
      lockedUntilMs: state.lock_out.locked_until_ms,
    },
    clockTrusted: clock_trusted,
    maxSkewMs: max_skew_ms,
  };
}

/** A phase of a site's life. One that this release does not know is a number that it does not know. */
function lifecycleOf(name: string): SiteLifecycle {
  const known = Object.entries(SiteLifecycle).find(([one]) => one === name)?.[1];
  return typeof known === "number" ? known : (99 as SiteLifecycle);
}

/** A decision, as vectors write it. */
async function outcomeOf(decision: Decision): Promise<CredentialOutcome> {
  const { act, reservationId = "", bundleId = "", isDelegated = false, credentialId, lockOut } = decision;
  const [first, ...next] = decision.opens ? new Set(decision.doors.map((door) => door.reservationId)) : [];
  return {
    ...(decision.opens
      ? { decision: "OPEN" as const, reopens: decision.reopens, next }
      : { decision: "REFUSE" as const, refusal: decision.refusal, told: personRefusal(decision.refusal) }),
    act: act === undefined ? "" : (actNames.get(act) ?? ""),
    reservation_id: first ?? reservationId,
    bundle_id: bundleId,
    delegated: isDelegated,
    credential_hash: await reportedHash(credentialId),
    lock_out: lockOutOf(lockOut),
  };
}

function pinOf({ hash, not_before_ms, expires_at_ms }: VectorState["pins"][number]) {
  return { pinHash: bytesOf(hash), notBefore: timestampFromMs(not_before_ms), expiresAt: timestampFromMs(expires_at_ms) };
}

function lockOutOf({ failures, lastFailureMs, lockedUntilMs }: LockOut): VectorLockOut {
  return { failures, last_failure_ms: lastFailureMs, locked_until_ms: lockedUntilMs };
}

function bundleOf({ version, issuer_keys, issued_at_ms, not_after_ms }: VectorBundle): TrustBundle {
  return create(TrustBundleSchema, {
    version: BigInt(version),
    issuerKeys: issuer_keys.map((key) => ({
      keyId: key.key_id,
      publicKey: bytesOf(key.public_key),
      notAfter: timestampFromMs(key.not_after_ms),
    })),
    issuedAt: timestampFromMs(issued_at_ms),
    notAfter: timestampFromMs(not_after_ms),
  });
}

function bytesOf(base64url: string): Uint8Array {
  const bytes = decodeBase64url(base64url);
  if (bytes === undefined) throw new Error(`'${base64url}' is no base64url`);
  return bytes;
}
