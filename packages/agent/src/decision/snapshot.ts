import type { Act, Allowance, BundleAllowance, ProofKind, TrustBundle } from "@petak/protocol";
import type { CabinetCompartment, DoorState, Occupancy } from "../cabinet/cabinet.ts";
import type { LockOut } from "./lock-out.ts";

/** What a person shows at the door. */
export type Credential = TokenShown | { readonly pin: string };

/** An access token, and what comes with it. */
export interface TokenShown {
  readonly token: string;
  /** The proof that the token's holder is there: see docs/credentials.md. Needed where the token is bound to a key. */
  readonly presence?: string;
  /** SERVICE: the door that is to open. Default the one that the token names. Other acts have none. */
  readonly compartmentId?: string;
}

/** Whether a compartment may be given to a parcel. */
export type Condition =
  | "OK"
  /** What lies in it must be checked by somebody first. */
  | "IN_DOUBT"
  /** Its lock did not open the last time. */
  | "LOCK_FAILED";

/** What the agent knows of a compartment beside what its sensors say. */
export interface CompartmentRecord {
  readonly compartmentId: string;
  readonly condition: Condition;
  /** Whose parcel lies in it. Empty: nobody's. */
  readonly reservationId: string;
}

/** A door that a credential opened and whose outcome is not settled. */
export interface Visit {
  readonly compartmentId: string;
  /** A token's id, or the base64url of a PIN's hash. SERVICE: the token's id, a slash and the door, since each door opens once. */
  readonly credentialId: string;
  readonly proofKind: ProofKind;
  readonly act: Act;
  /** SERVICE: whose parcel lies there. Empty: nobody's. */
  readonly reservationId: string;
  /** The bundle whose credential it is. Empty: a reservation's own. */
  readonly bundleId: string;
  /** Whether the credential is a delegate's. */
  readonly isDelegated: boolean;
  /** OPENING: the lock is about to be pulsed. OPEN: it was. CLOSED: the door is closed and the sensors do not show what should be. */
  readonly phase: "OPENING" | "OPEN" | "CLOSED";
  /** How often the same credential has opened the door again. */
  readonly reopenings: number;
  /** Until when it may, in ms. After that the outcome is in doubt. */
  readonly graceUntilMs: number;
}

/** All that the decision at the door is made from. */
export interface DoorSnapshot {
  readonly siteId: string;
  /** The site's size classes in its own order, as the tokens count them. */
  readonly sizeClassIds: readonly string[];
  /** Undefined before the agent has reached its gateway for the first time. */
  readonly trustBundle: TrustBundle | undefined;
  /** Undefined before the agent has reached its gateway for the first time. */
  readonly pinKey: Uint8Array | undefined;
  readonly allowances: readonly Allowance[];
  readonly bundles: readonly BundleAllowance[];
  /** Hashes of the tokens for SERVICE that open nothing any more. */
  readonly revokedServiceHashes: readonly string[];
  readonly isSpent: (credentialId: string) => boolean;
  /** The reservations of a bundle that its credential, which was used, has yet to open for. */
  readonly toCollect: (credentialId: string) => readonly string[];
  /** Whether a reservation is over here by what the agent saw: its parcel has gone, or was not there when somebody looked after a doubt. */
  readonly hasEnded: (reservationId: string) => boolean;
  /** How long ago the site gave a challenge, in ms. Undefined: it did not, or it was used. */
  readonly challengeAgeMs: (challenge: string) => number | undefined;
  readonly visits: readonly Visit[];
  readonly compartments: readonly (CabinetCompartment & CompartmentRecord & { readonly door: DoorState; readonly occupancy: Occupancy })[];
  readonly lockOut: LockOut;
  /** False: see JudgeAccessTokenInput. */
  readonly clockTrusted: boolean;
  /** How far the clock may be wrong, in ms. */
  readonly maxSkewMs: number;
}
