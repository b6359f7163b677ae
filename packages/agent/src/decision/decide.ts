import { timestampMs } from "@bufbuild/protobuf/wkt";
import { encodeBase64url, equalInConstantTime, hashPin, isPin, judgeAccessToken } from "@petak/credential";
import { type Act, type Allowance, ProofKind } from "@petak/protocol";
import { afterRightPin, afterWrongPin, isLockedOut, type LockOut } from "./lock-out.ts";
import type { DoorRefusal } from "./refusals.ts";
import { chooseCompartments, type ProvenRight } from "./reservation-rules.ts";
import type { Credential, DoorSnapshot } from "./snapshot.ts";

/** What a credential was found to be. */
interface Shown {
  readonly proofKind: ProofKind;
  /** Undefined where the credential could not be proven: its id is anybody's word then. */
  readonly credentialId?: string;
  readonly act?: Act;
  readonly reservationId?: string;
  /** The state of the lock-out afterwards. */
  readonly lockOut: LockOut;
}

/** A door opens. */
export interface Opening extends Shown {
  readonly opens: true;
  readonly credentialId: string;
  readonly act: Act;
  readonly reservationId: string;
  /** The doors that may be opened, the preferred one first. */
  readonly compartmentIds: readonly string[];
  /** True: the credential opened this door a moment ago and may again. */
  readonly reopens: boolean;
  /** Until when the credential could be shown again, in ms: how long its id stays spent. */
  readonly expiresAtMs: number;
}

/** No door opens. */
export interface Refusal extends Shown {
  readonly opens: false;
  readonly refusal: DoorRefusal;
}

/** What is decided at the door. */
export type Decision = Opening | Refusal;

/** How often a credential may open its door again while the outcome is open: once for a door that fell shut, once for good measure. */
const maxReopenings = 2;

/**
 * Decides whether a credential opens a door, and which. Pure: the same credential, snapshot and time give the same decision, and nothing
 * is changed. The caller spends the credential before it pulses the lock.
 */
export async function decide(credential: Credential, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  return "token" in credential ? decideToken(credential.token, snapshot, nowMs) : decidePin(credential.pin, snapshot, nowMs);
}

async function decideToken(token: string, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  const { trustBundle, siteId, maxSkewMs, clockTrusted, lockOut, sizeClassIds } = snapshot;
  const shown = { proofKind: ProofKind.ACCESS_TOKEN, lockOut };
  if (trustBundle === undefined) return { opens: false, refusal: "NOT_BOOTED", ...shown };
  const judgement = await judgeAccessToken({ token, trustBundle, siteId, nowMs, maxSkewMs, clockTrusted });
  const { claims } = judgement;
  if (claims === undefined) return { opens: false, refusal: judgement.ok ? "CLAIMS" : judgement.refusal, ...shown };
  const { tokenId: credentialId, act, reservationId, expiresAtMs } = claims;
  const proven = { ...shown, credentialId, act, reservationId };
  if (!judgement.ok) return { opens: false, refusal: judgement.refusal, ...proven };
  const right = { act, reservationId, sizeClassId: sizeClassIds[claims.sizeClassIndex] };
  return decideRight(right, { ...proven, expiresAtMs }, snapshot, nowMs);
}

async function decidePin(pin: string, snapshot: DoorSnapshot, nowMs: number): Promise<Decision> {
  const { pinKey, lockOut } = snapshot;
  const shown = { proofKind: ProofKind.PIN, lockOut };
  // Not counted as wrong: it could not have been right.
  if (!isPin(pin)) return { opens: false, refusal: "PIN_MALFORMED", ...shown };
  if (isLockedOut(lockOut, nowMs)) return { opens: false, refusal: "LOCKED_OUT", ...shown };
  if (pinKey === undefined) return { opens: false, refusal: "NOT_BOOTED", ...shown };
  const hash = await hashPin(pinKey, pin);
  // Every refusal counts, the right PIN at the wrong time too: were it not so, the lock-out would tell which PINs exist.
  const counted = { proofKind: ProofKind.PIN, lockOut: afterWrongPin(lockOut, nowMs) };
  const allowance = findByPin(hash, snapshot.allowances);
  if (allowance === undefined) return { opens: false, refusal: "PIN_UNKNOWN", ...counted };
  const { act, reservationId, sizeClassId } = allowance;
  const proven = { ...counted, credentialId: encodeBase64url(hash), act, reservationId };
  const outOfTime = judgePinTime(allowance, snapshot, nowMs);
  if (outOfTime !== undefined) return { opens: false, refusal: outOfTime, ...proven };
  const expiresAtMs = allowance.expiresAt === undefined ? nowMs : timestampMs(allowance.expiresAt);
  const decision = decideRight({ act, reservationId, sizeClassId }, { ...proven, expiresAtMs }, snapshot, nowMs);
  if (!decision.opens) return decision;
  // A door that opens once more proves nothing that its first opening did not.
  return { ...decision, lockOut: decision.reopens ? lockOut : afterRightPin(lockOut) };
}

/** The allowance with a PIN's hash. It looks at all of them, whichever it is, so that the time taken tells nothing. */
function findByPin(hash: Uint8Array, allowances: readonly Allowance[]): Allowance | undefined {
  let found: Allowance | undefined;
  for (const allowance of allowances) if (equalInConstantTime(hash, allowance.pinHash)) found = allowance;
  return found;
}

function judgePinTime(allowance: Allowance, snapshot: DoorSnapshot, nowMs: number): DoorRefusal | undefined {
  const { maxSkewMs, clockTrusted } = snapshot;
  const { notBefore, expiresAt } = allowance;
  if (notBefore !== undefined && nowMs + maxSkewMs < timestampMs(notBefore)) return "PIN_NOT_YET_VALID";
  if (expiresAt === undefined || nowMs - (clockTrusted ? maxSkewMs : 0) >= timestampMs(expiresAt)) return "PIN_EXPIRED";
  return undefined;
}

function decideRight(
  right: ProvenRight,
  proven: Omit<Opening, "opens" | "compartmentIds" | "reopens">,
  snapshot: DoorSnapshot,
  nowMs: number,
): Decision {
  const visit = snapshot.visits.find(({ credentialId }) => credentialId === proven.credentialId);
  if (visit !== undefined && visit.phase !== "OPEN" && visit.reopenings < maxReopenings && nowMs < visit.graceUntilMs) {
    return { opens: true, ...proven, compartmentIds: [visit.compartmentId], reopens: true };
  }
  if (snapshot.isSpent(proven.credentialId)) return { opens: false, refusal: "SPENT", ...proven };
  const compartmentIds = chooseCompartments(right, snapshot, nowMs);
  if (typeof compartmentIds === "string") return { opens: false, refusal: compartmentIds, ...proven };
  return { opens: true, ...proven, compartmentIds, reopens: false };
}
