import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Bundle,
  BundleSchema,
  type Event,
  EventType,
  type Party,
  PetakError,
  type Reservation,
  ReservationSchema,
  ReservationState,
} from "@petak/protocol";
import { endOfSecondMs, isCollectable } from "./credentials.ts";
import { refusePassed } from "./deadlines.ts";
import { credentialProof, type DelegationFacts, isRevocable, withDelegation, withRevocation } from "./delegations.ts";
import { reservationEvent } from "./events.ts";
import { hasEnded } from "./state.ts";
import { changed, type PinEntry } from "./transition.ts";
import { illegalState } from "./transitions.ts";

/** A change of a bundle and everything that must be written atomically with it. */
export interface BundleTransition {
  /** The bundle as it was read; undefined: there was none. */
  before: Bundle | undefined;
  /** The bundle to write, its revision one more than before; undefined: unchanged. */
  after?: Bundle;
  /** The new PIN of the bundle; null: its PIN ends; undefined: unchanged. */
  pin?: PinEntry | null;
  /** Reservations as they were read, which must not have changed since, with the new version and the event of each. */
  reservations: readonly { before: Reservation; after?: Reservation; event?: Event }[];
}

/** States in which a reservation may join a bundle: its parcel is at the site or may still come. */
const joiningStates: ReadonlySet<ReservationState> = new Set([
  ReservationState.HELD,
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
]);

export interface PutBundleFacts {
  bundleId: string;
  actor: Party;
  /** The bundle's reservations from now on, in order; at least one. */
  members: readonly Reservation[];
  /** Its reservations before. */
  earlier: readonly Reservation[];
}

/**
 * Creates a bundle, or changes its members. Members that have ended stay unchanged: their records are history and may be archived.
 *
 * @throws {PetakError} BUNDLE_MISMATCH if the reservations cannot be collected together; ILLEGAL_STATE if one can no longer be collected.
 */
export function putBundle(
  before: Bundle | undefined,
  { bundleId, actor, members, earlier }: PutBundleFacts,
  atMs: number,
): BundleTransition & { after: Bundle } {
  refuseMismatch(members, bundleId, before?.siteId ?? members[0]?.siteId ?? "", atMs);
  const memberIds = members.map(({ reservationId }) => reservationId);
  const moved = (one: Reservation, to: string, type: EventType) => {
    const after = changed(one, atMs, { bundleId: to });
    return { before: one, after, event: eventOf(type, after, { bundleId, actor }, atMs) };
  };
  const staying = members.filter((one) => one.bundleId === bundleId && !hasEnded(one));
  const joining = members.filter((one) => one.bundleId !== bundleId);
  const leaving = earlier.filter((one) => !memberIds.includes(one.reservationId) && !hasEnded(one));
  return {
    before,
    after: bundleOf(before, members, bundleId, atMs),
    reservations: [
      ...staying.map((one) => ({ before: one })),
      ...joining.map((one) => moved(one, bundleId, EventType.RESERVATION_BUNDLED)),
      ...leaving.map((one) => moved(one, "", EventType.RESERVATION_UNBUNDLED)),
    ],
  };
}

/** Records that a credential to collect was issued for a bundle. @param collectable see {@link collectableOf} */
export function bundleCredentialIssued(
  before: Bundle | undefined,
  {
    bundleId,
    actor,
    pin,
    collectable,
  }: { bundleId: string; actor: Party; pin?: PinEntry | undefined; collectable: readonly Reservation[] },
  atMs: number,
): BundleTransition {
  return {
    before,
    ...(pin && { pin }),
    reservations: collectable.map((one) => ({
      before: one,
      event: eventOf(EventType.CREDENTIAL_ISSUED, one, { bundleId, actor }, atMs),
    })),
  };
}

/** Records a credential that was delegated from a bundle's credential. Throws CREDENTIALS_EXHAUSTED at the limit. */
export function delegateOfBundle(
  before: Bundle,
  { collectable, ...facts }: DelegationFacts & { collectable: readonly Reservation[] },
  atMs: number,
): BundleTransition {
  const { credentialHash, parentCredentialHash, actor } = facts;
  const about = { bundleId: before.bundleId, actor, proof: credentialProof({ credentialHash, parentCredentialHash }) };
  return {
    before,
    after: changedBundle(before, withDelegation(before, facts, before.bundleId, atMs), atMs),
    reservations: collectable.map((one) => ({ before: one, event: eventOf(EventType.CREDENTIAL_DELEGATED, one, about, atMs) })),
  };
}

/** Revokes credentials of a bundle, in any state of its members; otherwise like {@link revoke}. */
export function revokeOfBundle(
  before: Bundle,
  { actor, credentialHash, endsPin, members }: { actor: Party; credentialHash: string; endsPin: boolean; members: readonly Reservation[] },
  atMs: number,
): BundleTransition {
  const about = { bundleId: before.bundleId, actor, proof: credentialProof({ credentialHash }) };
  return {
    before,
    after: changedBundle(before, withRevocation(before, credentialHash, before.bundleId, atMs), atMs),
    ...(endsPin ? { pin: null } : {}),
    reservations: members
      .filter(isRevocable)
      .map((one) => ({ before: one, event: eventOf(EventType.CREDENTIAL_REVOKED, one, about, atMs) })),
  };
}

/** The reservations for which a credential to collect can be issued. Throws ILLEGAL_STATE if there is none. */
export function collectableOf(reservations: readonly Reservation[], bundleId: string, atMs: number): Reservation[] {
  const collectable = reservations.filter((reservation) => isCollectable(reservation, atMs));
  if (collectable.length > 0) return collectable;
  const first = reservations[0] ?? create(ReservationSchema, { reservationId: bundleId });
  // Names a deadline that has passed, as for a single reservation.
  refusePassed(first, endOfSecondMs(atMs), ReservationState.COLLECTED);
  throw illegalState(first, ReservationState.COLLECTED, `: nothing of bundle ${bundleId} can be collected`);
}

function refuseMismatch(reservations: readonly Reservation[], bundleId: string, siteId: string, atMs: number): void {
  const [first] = reservations;
  for (const reservation of reservations) {
    if (reservation.siteId !== siteId) throw mismatch(reservation, "SITE", `is not at site '${siteId}'`);
    const isSameCollector =
      reservation.collector?.kind === first?.collector?.kind && reservation.collector?.participantId === first?.collector?.participantId;
    if (!isSameCollector) throw mismatch(reservation, "COLLECTOR", `does not have the same collector as '${first?.reservationId}'`);
    if (reservation.bundleId === bundleId) continue;
    if (reservation.bundleId !== "" && !hasEnded(reservation)) {
      throw mismatch(reservation, "OTHER_BUNDLE", `is in bundle '${reservation.bundleId}'; remove it from that bundle first`);
    }
    const why = ": only a reservation that can still be collected can join a bundle";
    if (!joiningStates.has(reservation.state)) throw illegalState(reservation, ReservationState.COLLECTED, why);
    refusePassed(reservation, atMs, ReservationState.COLLECTED);
  }
}

function mismatch({ reservationId }: Reservation, which: "SITE" | "COLLECTOR" | "OTHER_BUNDLE", what: string): PetakError {
  return new PetakError("BUNDLE_MISMATCH", `reservation ${reservationId} ${what}`, {
    metadata: { reservation_id: reservationId, mismatch: which, subject: reservationId },
  });
}

function bundleOf(before: Bundle | undefined, members: readonly Reservation[], bundleId: string, atMs: number): Bundle {
  const [first] = members;
  const reservationIds = members.map(({ reservationId }) => reservationId);
  if (before !== undefined) return changedBundle(before, { reservationIds }, atMs);
  const { siteId = "", operatorId = "", participantId = "", isTest = false } = first ?? {};
  const createdAt = timestampFromMs(atMs);
  return create(BundleSchema, {
    ...{ bundleId, siteId, operatorId, participantId, isTest, reservationIds },
    ...(first?.collector && { collector: first.collector }),
    revision: 1,
    createdAt,
    updatedAt: createdAt,
  });
}

function changedBundle(before: Bundle, change: Partial<Bundle>, atMs: number): Bundle {
  return { ...before, ...change, revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
}

function eventOf(
  type: EventType,
  reservation: Reservation,
  about: Pick<Parameters<typeof reservationEvent>[0], "bundleId" | "actor" | "proof">,
  atMs: number,
): Event {
  return reservationEvent({ ...about, type, reservation, occurredAtMs: atMs });
}
