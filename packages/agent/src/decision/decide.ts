import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  accessTokenMaxLifetimeMs,
  credentialHash,
  encodeBase64url,
  equalInConstantTime,
  hashPin,
  holderPresence,
  isPin,
  judgeAccessToken,
} from "@petak/credential";
import { Act, type Allowance, type BundleAllowance, ProofKind } from "@petak/protocol";
import type { Occupancy } from "../cabinet/cabinet.ts";
import { chooseBundleDoors } from "./bundle-rules.ts";
import { afterRightPin, afterWrongPin, isLockedOut, type LockOut } from "./lock-out.ts";
import { refusePresence } from "./presence-rules.ts";
import type { DoorRefusal } from "./refusals.ts";
import { type ChosenDoor, chooseCompartments } from "./reservation-rules.ts";
import { chooseForService, type ServiceRight } from "./service-rules.ts";
import type { Credential, DoorSnapshot, TokenShown, Visit } from "./snapshot.ts";

/** What is known of a credential. */
interface Shown {
  readonly proofKind: ProofKind;
  /** Undefined if the credential was not verified, since its id is then unproven. */
  readonly credentialId?: string;
  readonly act?: Act;
  /** Empty for a bundle's credential and for SERVICE. */
  readonly reservationId?: string;
  /** The bundle of the credential. Empty: it is a reservation's. */
  readonly bundleId?: string;
  /** Whether it was delegated. */
  readonly isDelegated?: boolean;
  /** The lock-out after the decision. */
  readonly lockOut: LockOut;
}

/** What is known of a verified credential. */
interface Proven extends Shown {
  readonly credentialId: string;
  readonly act: Act;
  readonly reservationId: string;
  readonly bundleId: string;
  readonly isDelegated: boolean;
}

/** A door opens. */
export interface Opening extends Proven {
  readonly opens: true;
  /** A bound token's claims and the proof of presence that was shown with it, for reports. */
  readonly presence?: string;
  /** The doors that may be opened, in order of preference. */
  readonly doors: readonly ChosenDoor[];
  /** True: the credential has already opened the first of these doors and may open it again. */
  readonly reopens: boolean;
  /** First use of a bundle's credential: the reservations whose parcels are here now, for each of which it opens once. */
  readonly toCollect: readonly string[];
  /** Until when the credential could be valid, in ms: its id must stay spent at least that long. */
  readonly expiresAtMs: number;
}

/** No door opens. */
export interface Refusal extends Shown {
  readonly opens: false;
  readonly refusal: DoorRefusal;
}

/** A decision at the door. */
export type Decision = Opening | Refusal;

/** How often a credential may open its door again while the outcome is unknown: once for a door that fell shut, and once in reserve. */
const maxReopenings = 2;

/**
 * Decides whether a credential opens a door, and which. Pure and deterministic. The caller must spend the credential before it pulses the lock.
 */
export async function decide(credential: Credential, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  return "token" in credential ? decideToken(credential, snapshot, nowMs) : decidePin(credential.pin, snapshot, nowMs);
}

async function decideToken({ token, presence, compartmentId }: TokenShown, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  const { trustBundle, siteId, maxSkewMs, clockTrusted, lockOut, sizeClassIds } = snapshot;
  const shown: { proofKind: ProofKind; lockOut: LockOut } = { proofKind: ProofKind.ACCESS_TOKEN, lockOut };
  if (trustBundle === undefined) return { opens: false, refusal: "NOT_BOOTED", ...shown };
  const judgement = await judgeAccessToken({ token, trustBundle, siteId, nowMs, maxSkewMs, clockTrusted });
  const { claims } = judgement;
  if (claims === undefined) return { opens: false, refusal: judgement.ok ? "CLAIMS" : judgement.refusal, ...shown };
  const { tokenId, act, reservationId, bundleId = "", isDelegated = false, holderKeyHash, compartmentId: allowedId = "" } = claims;
  const isService = act === Act.SERVICE;
  const doorId = isService ? (compartmentId ?? allowedId) : "";
  const credentialId = doorId === "" ? tokenId : `${tokenId}/${doorId}`;
  const facts = { ...shown, credentialId, act, reservationId, bundleId, isDelegated, expiresAtMs: claims.expiresAtMs };
  const proven: typeof facts & { presence?: string } = facts;
  if (!judgement.ok) return { opens: false, refusal: judgement.refusal, ...proven };
  if (holderKeyHash !== undefined) {
    const refusal = await refusePresence(presence, { holderKeyHash, tokenId, compartmentId: doorId }, snapshot);
    if (refusal !== undefined) return { opens: false, refusal, ...proven };
    // From here on, reports say that the token's holder was present.
    proven.proofKind = ProofKind.BOUND_ACCESS_TOKEN;
    proven.presence = holderPresence(token, presence ?? "");
  }
  if (isService) {
    // The list contains the token, not a single door.
    if (snapshot.revokedServiceHashes.includes(await credentialHash(tokenId))) return { opens: false, refusal: "REVOKED", ...proven };
    return decideService({ allowedId, compartmentId: doorId }, proven, snapshot, nowMs);
  }
  return decideRight(proven, sizeClassIds[claims.sizeClassIndex], snapshot, nowMs);
}

async function decidePin(pin: string, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  const { pinKey, lockOut } = snapshot;
  const shown = { proofKind: ProofKind.PIN, lockOut };
  // Not counted as a wrong PIN: it could not be a right one.
  if (!isPin(pin)) return { opens: false, refusal: "PIN_MALFORMED", ...shown };
  if (isLockedOut(lockOut, nowMs)) return { opens: false, refusal: "LOCKED_OUT", ...shown };
  if (pinKey === undefined) return { opens: false, refusal: "NOT_BOOTED", ...shown };
  const hash = await hashPin(pinKey, pin);
  // Every refusal counts, also of a right PIN at the wrong time; otherwise the lock-out would reveal which PINs exist.
  const counted = { proofKind: ProofKind.PIN, lockOut: afterWrongPin(lockOut, nowMs) };
  const allowance = findByPin(hash, [...snapshot.allowances, ...snapshot.bundles]);
  if (allowance === undefined) return { opens: false, refusal: "PIN_UNKNOWN", ...counted };
  const right =
    "act" in allowance
      ? { act: allowance.act, reservationId: allowance.reservationId, bundleId: "" }
      : { act: Act.COLLECT, reservationId: "", bundleId: allowance.bundleId };
  const proven = { ...counted, credentialId: encodeBase64url(hash), isDelegated: false, ...right };
  const outOfTime = judgePinTime(allowance, snapshot, nowMs);
  if (outOfTime !== undefined) return { opens: false, refusal: outOfTime, ...proven };
  const expiresAtMs = pinSpentUntilMs(allowance, nowMs);
  const sizeClassId = "act" in allowance ? allowance.sizeClassId : undefined;
  const decision = await decideRight({ ...proven, expiresAtMs }, sizeClassId, snapshot, nowMs);
  if (!decision.opens) return decision;
  // Only the first opening counts as a right PIN, not a repeated one or the next door of a bundle.
  return { ...decision, lockOut: decision.reopens || snapshot.isSpent(decision.credentialId) ? lockOut : afterRightPin(lockOut) };
}

/** The allowance with a PIN's hash. Always compares with all of them, so that timing reveals nothing. */
function findByPin<One extends Allowance | BundleAllowance>(hash: Uint8Array, allowances: readonly One[]): One | undefined {
  let found: One | undefined;
  for (const allowance of allowances) if (equalInConstantTime(hash, allowance.pinHash)) found = allowance;
  return found;
}

function judgePinTime(
  { notBefore, expiresAt }: Allowance | BundleAllowance,
  snapshot: DoorSnapshot,
  nowMs: number,
): DoorRefusal | undefined {
  const { maxSkewMs, clockTrusted } = snapshot;
  if (notBefore !== undefined && nowMs + maxSkewMs < timestampMs(notBefore)) return "PIN_NOT_YET_VALID";
  if (expiresAt === undefined || nowMs - (clockTrusted ? maxSkewMs : 0) >= timestampMs(expiresAt)) return "PIN_EXPIRED";
  return undefined;
}

/** Until when a PIN's id must stay spent, in ms. Its expiry may be extended, a bundle's up to the longest validity from its start. */
function pinSpentUntilMs({ notBefore, expiresAt }: Allowance | BundleAllowance, nowMs: number): number {
  const endsMs = expiresAt === undefined ? nowMs : timestampMs(expiresAt);
  return Math.max(endsMs, (notBefore === undefined ? nowMs : timestampMs(notBefore)) + accessTokenMaxLifetimeMs);
}

async function decideRight(
  proven: Proven & Pick<Opening, "expiresAtMs">,
  sizeClassId: string | undefined,
  snapshot: DoorSnapshot,
  nowMs: number,
): Promise<Decision> {
  const { credentialId, act, reservationId, bundleId } = proven;
  if (isRevoked(await credentialHash(credentialId), proven, snapshot)) return { opens: false, refusal: "REVOKED", ...proven };
  const again = opensAgain(credentialId, snapshot, nowMs);
  const isSpent = snapshot.isSpent(credentialId);
  if (bundleId === "") {
    if (again.length > 0) return { opens: true, ...proven, doors: again, reopens: true, toCollect: [] };
    if (isSpent) return { opens: false, refusal: "SPENT", ...proven };
    const compartmentIds = chooseCompartments({ act, reservationId, sizeClassId }, snapshot, nowMs);
    if (typeof compartmentIds === "string") return { opens: false, refusal: compartmentIds, ...proven };
    const doors = compartmentIds.map((compartmentId) => ({ compartmentId, reservationId }));
    return { opens: true, ...proven, doors, reopens: false, toCollect: [] };
  }
  // A scanner reads the same code many times; that must not open a second door.
  const isDoorOpen = snapshot.visits.some((visit) => visit.credentialId === credentialId && visit.phase === "OPEN");
  if (isDoorOpen) return { opens: false, refusal: "IN_USE", ...proven };
  const chosen = chooseBundleDoors({ bundleId, credentialId, isSpent }, snapshot, nowMs);
  // A parcel still detected inside, or a door that may not have opened, comes before the next door. Without a sensor reading the next door comes first.
  const unseen = again.filter(({ phase, compartmentId }) => phase === "CLOSED" && occupancyOf(compartmentId, snapshot) === "UNKNOWN");
  const first = again.filter((visit) => !unseen.includes(visit));
  const doors = [...first, ...chosen.doors, ...unseen];
  if (doors.length === 0) return { opens: false, refusal: chosen.refusal ?? "NOT_DEPOSITED", ...proven };
  const reopens = again.some((visit) => visit === doors[0]);
  return { opens: true, ...proven, doors, reopens, toCollect: chosen.toCollect };
}

function decideService(
  right: ServiceRight,
  proven: Proven & Pick<Opening, "expiresAtMs">,
  snapshot: DoorSnapshot,
  nowMs: number,
): Decision {
  const again = opensAgain(proven.credentialId, snapshot, nowMs);
  if (again.length > 0) return { opens: true, ...proven, doors: again, reopens: true, toCollect: [] };
  if (snapshot.isSpent(proven.credentialId)) return { opens: false, refusal: "SPENT", ...proven };
  const door = chooseForService(right, snapshot);
  if (typeof door === "string") return { opens: false, refusal: door, ...proven };
  return { opens: true, ...proven, doors: [door], reopens: false, toCollect: [] };
}

/** The doors that a credential has opened and may open again. */
function opensAgain(credentialId: string, { visits }: DoorSnapshot, nowMs: number): Visit[] {
  return visits.filter(
    (visit) =>
      visit.credentialId === credentialId && visit.phase !== "OPEN" && visit.reopenings < maxReopenings && nowMs < visit.graceUntilMs,
  );
}

function occupancyOf(compartmentId: string, { compartments }: DoorSnapshot): Occupancy | undefined {
  return compartments.find((compartment) => compartment.compartmentId === compartmentId)?.occupancy;
}

/** Whether the gateway has listed a credential as revoked, for its own reservation or bundle. */
function isRevoked(hash: string, { reservationId, bundleId }: Proven, { allowances, bundles }: DoorSnapshot): boolean {
  const subjects =
    bundleId === ""
      ? allowances.filter((allowance) => allowance.reservationId === reservationId)
      : bundles.filter((bundle) => bundle.bundleId === bundleId);
  return subjects.some(({ revokedCredentialHashes }) => revokedCredentialHashes.includes(hash));
}
