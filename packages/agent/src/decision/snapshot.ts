import type { Act, Allowance, BundleAllowance, ProofKind, Site, TrustBundle } from "@petak/protocol";
import type { CabinetCompartment, DoorState, Occupancy } from "../cabinet/cabinet.ts";
import type { LockOut } from "./lock-out.ts";

/** A credential as presented at the door. */
export type Credential = TokenShown | { readonly pin: string };

/** A presented access token. */
export interface TokenShown {
  readonly token: string;
  /** The presence proof (docs/credentials.md). Required if the token is bound to a key. */
  readonly presence?: string;
  /** SERVICE only: the door to open. Default: the door that the token names. */
  readonly compartmentId?: string;
}

/** Whether a compartment can be used for a parcel. */
export type Condition =
  | "OK"
  /** Somebody must first check what is in it. */
  | "IN_DOUBT"
  /** Its lock failed at the last attempt. */
  | "LOCK_FAILED";

/** The agent's record of a compartment, in addition to its sensors. */
export interface CompartmentRecord {
  readonly compartmentId: string;
  readonly condition: Condition;
  /** The reservation whose parcel is inside. Empty: none. */
  readonly reservationId: string;
}

/** The opening of a door by a credential, until its outcome is settled. */
export interface Visit {
  readonly compartmentId: string;
  /** A token's id, or the base64url of a PIN's hash. SERVICE: `<token id>/<door>`, since the token opens each door once. */
  readonly credentialId: string;
  readonly proofKind: ProofKind;
  readonly act: Act;
  /** SERVICE: the reservation whose parcel is inside. Empty: none. */
  readonly reservationId: string;
  /** The bundle of the credential. Empty: it is a reservation's. */
  readonly bundleId: string;
  /** Whether the credential was delegated. */
  readonly isDelegated: boolean;
  /** The presence for reports, if the token is bound to a key. */
  readonly presence?: string;
  /** OPENING: the lock is about to be pulsed. OPEN: it was. CLOSED: the door is closed, but the sensors do not show the expected result. */
  readonly phase: "OPENING" | "OPEN" | "CLOSED";
  /** How often the credential has opened the door again. */
  readonly reopenings: number;
  /** End of the grace period, in ms; after it the outcome is in doubt. */
  readonly graceUntilMs: number;
}

/** The complete input of a decision at the door, besides credential and time. */
export interface DoorSnapshot {
  readonly siteId: string;
  /** Whether the site takes parcels in, as the gateway said at the last contact. */
  readonly service: Pick<Site, "lifecycle" | "draining">;
  /** The site's size classes in its own order, to which tokens refer by index. */
  readonly sizeClassIds: readonly string[];
  /** Undefined before the first boot. */
  readonly trustBundle: TrustBundle | undefined;
  /** Undefined before the first boot. */
  readonly pinKey: Uint8Array | undefined;
  /** All, or at least those of the reservations that the credential can open, and those of DEPOSIT with a door that is promised. */
  readonly allowances: readonly Allowance[];
  readonly bundles: readonly BundleAllowance[];
  /** Hashes of revoked tokens for SERVICE. */
  readonly revokedServiceHashes: readonly string[];
  readonly isSpent: (credentialId: string) => boolean;
  /** The reservations for which a used credential of a bundle can still open. */
  readonly toCollect: (credentialId: string) => readonly string[];
  /** Whether the agent has seen the end of a reservation: its parcel has left, or its compartment was found empty after a doubt. */
  readonly hasEnded: (reservationId: string) => boolean;
  /** Age of a challenge, in ms. Undefined: not issued by this site since its start, or already used. */
  readonly challengeAgeMs: (challenge: string) => number | undefined;
  readonly visits: readonly Visit[];
  /** The compartments that a command took out of service; an empty id stands for the whole site. */
  readonly outOfService: ReadonlySet<string>;
  readonly compartments: readonly (CabinetCompartment & CompartmentRecord & { readonly door: DoorState; readonly occupancy: Occupancy })[];
  readonly lockOut: LockOut;
  /** See JudgeAccessTokenInput. */
  readonly clockTrusted: boolean;
  /** Tolerated error of the clock, in ms. */
  readonly maxSkewMs: number;
}
