import { Act, ProofKind, SiteLifecycle } from "@petak/protocol";
import { type LeaseMaterial, ParcelPlace } from "@petak/protocol/counter";
import { noLockOut } from "../decision/lock-out.ts";
import type { DoorSnapshot, Visit } from "../decision/snapshot.ts";

/** A hand-over that a tablet has begun by its lease. */
export interface DecidedHandOver {
  readonly handOverId: string;
  readonly act: Act;
  readonly credentialId: string;
  readonly reservationId: string;
  /** Empty: the credential is a reservation's. */
  readonly bundleId: string;
  /** First use of a bundle's credential: all that it collects. */
  readonly toCollect: readonly string[];
  readonly shelfPlace: string;
  /** NOT_NOW: the credential is good again. CANNOT_FIND: so it is, once the parcel is found. REFUSED: the parcel stays, and the credential is spent. */
  readonly outcome: "UNDER_WAY" | "MOVED" | "NOT_NOW" | "CANNOT_FIND" | "REFUSED";
}

/** What a tablet with a lease knows. */
export interface LeaseKnowledge {
  readonly siteId: string;
  readonly material: LeaseMaterial;
  /** What it has decided that the material does not have. */
  readonly decided: readonly DecidedHandOver[];
  /** Places at which something was done through the agent that the material does not have. */
  readonly touched: readonly string[];
}

/**
 * What a tablet decides by, in the form in which its agent does. It has no key of PINs, so none is known; and nothing goes in, since what else comes in meanwhile takes
 * the same places.
 */
export function snapshotOf({ siteId, material, decided, touched }: LeaseKnowledge): DoorSnapshot {
  const spent = new Set(material.spentCredentialIds);
  const isUsed = ({ outcome }: DecidedHandOver) => outcome !== "NOT_NOW" && outcome !== "CANNOT_FIND";
  const moved = new Set(decided.filter(({ outcome }) => outcome === "MOVED").map(({ reservationId }) => reservationId));
  const missing = new Set(decided.filter(({ outcome }) => outcome === "CANNOT_FIND").map(({ reservationId }) => reservationId));
  const lying = material.parcels.filter(({ reservationId }) => !moved.has(reservationId));
  const here = new Set(lying.map(({ reservationId }) => reservationId));
  const leftOf = (credentialId: string) =>
    material.leftToCollect.find((left) => left.credentialId === credentialId)?.reservationIds ??
    decided.find((one) => one.credentialId === credentialId)?.toCollect ??
    [];
  return {
    siteId,
    service: { lifecycle: SiteLifecycle.MAINTENANCE, draining: false },
    sizeClassIds: [],
    trustBundle: material.trustBundle,
    pinKey: undefined,
    allowances: material.allowances,
    bundles: material.bundles,
    revokedServiceHashes: [],
    isSpent: (credentialId) =>
      spent.has(credentialId) || decided.some((one) => one.credentialId === credentialId && (one.bundleId !== "" || isUsed(one))),
    toCollect(credentialId) {
      const used = decided.filter((one) => one.credentialId === credentialId && isUsed(one)).map(({ reservationId }) => reservationId);
      return leftOf(credentialId).filter((reservationId) => !used.includes(reservationId));
    },
    hasEnded: (reservationId) => !here.has(reservationId),
    challengeAgeMs: () => undefined,
    visits: [
      ...decided.filter(({ outcome }) => outcome === "UNDER_WAY").map(visitOf),
      ...[...material.placesInUse, ...touched].map((shelfPlace) => visitOf({ ...nobody, shelfPlace, reservationId: at(shelfPlace) })),
    ],
    outOfService: new Set(),
    compartments: lying.map(({ shelfPlace, sizeClassId, reservationId, place }) => ({
      ...{ compartmentId: shelfPlace, sizeClassId, reservationId, door: "CLOSED", occupancy: "OCCUPIED" },
      condition: place === ParcelPlace.MISSING || missing.has(reservationId) ? "IN_DOUBT" : "OK",
    })),
    lockOut: noLockOut,
    clockTrusted: material.clockTrusted,
    maxSkewMs: material.maxSkewMs,
  };

  function at(place: string): string {
    return lying.find(({ shelfPlace }) => shelfPlace === place)?.reservationId ?? "";
  }
}

const nobody = { act: Act.UNSPECIFIED, credentialId: "", bundleId: "" };

function visitOf({
  shelfPlace: compartmentId,
  ...whose
}: Pick<DecidedHandOver, "act" | "credentialId" | "bundleId" | "reservationId" | "shelfPlace">): Visit {
  const { act, credentialId, bundleId, reservationId } = whose;
  const opened = { proofKind: ProofKind.ACCESS_TOKEN, isDelegated: false, phase: "OPEN", reopenings: 0 } as const;
  return { compartmentId, act, credentialId, bundleId, reservationId, ...opened, graceUntilMs: Number.MAX_SAFE_INTEGER };
}
