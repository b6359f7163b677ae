/** A test vector for a decision at the door: the verifier's knowledge, the credential and the expected outcome. docs/credentials.md describes each member. */
export interface CredentialVector {
  id: string;
  /** What it tests, in a sentence. */
  shows: string;
  /** null: the terminal has never reached its gateway. */
  trust_bundle: VectorBundle | null;
  site_id: string;
  /** 32 bytes in base64url. null: the terminal has never reached its gateway. */
  pin_key: string | null;
  now_ms: number;
  clock_trusted: boolean;
  max_skew_ms: number;
  state: VectorState;
  credential: { token: string; presence?: string; compartment_id?: string } | { pin: string };
  expected: CredentialOutcome;
}

/** A trust bundle. Keys are in base64url, times in ms. */
export interface VectorBundle {
  version: number;
  issuer_keys: { key_id: string; public_key: string; not_after_ms: number }[];
  issued_at_ms: number;
  not_after_ms: number;
}

/** A terminal's stored state. */
export interface VectorState {
  /** The site's phase, the name of a `SiteLifecycle` without its prefix, and whether it is draining, as the gateway last said. */
  site: { lifecycle: string; draining: boolean };
  spent: string[];
  /** The reservations for which a bundle's spent credential still opens. */
  to_collect: { credential_id: string; reservation_ids: string[] }[];
  /** The site's unused challenges, with their age in ms. */
  challenges: { challenge: string; age_ms: number }[];
  visits: VectorVisit[];
  lock_out: VectorLockOut;
  /** Each is for a reservation or a bundle. */
  pins: { reservation_id?: string; bundle_id?: string; hash: string; not_before_ms: number; expires_at_ms: number }[];
  bundles: { bundle_id: string; reservation_ids: string[] }[];
  /** Each is for a reservation, a bundle, or the site (SERVICE). */
  revoked: { reservation_id?: string; bundle_id?: string; site_id?: string; credential_hash: string }[];
  /** Reservations whose parcels are at the site. */
  inside: string[];
  /** Reservations that have ended or are in doubt, according to the gateway. */
  over: string[];
  /** Reservations whose end the terminal has seen: the parcel was taken, or the compartment was found empty after a doubt. */
  ended: string[];
  /** Doors, for SERVICE: the reservation whose parcel is inside (empty: none), and whether the sensor detects something. */
  compartments: { compartment_id: string; reservation_id: string; occupied: boolean }[];
  /** Indices of the size classes with a free place. */
  free_size_classes: number[];
}

/** The opening of a door whose outcome is not settled. */
export interface VectorVisit {
  credential_id: string;
  reservation_id: string;
  phase: "OPENING" | "OPEN" | "CLOSED";
  reopenings: number;
  grace_until_ms: number;
}

/** The lock-out of PINs at a site. */
export interface VectorLockOut {
  failures: number;
  last_failure_ms: number;
  locked_until_ms: number;
}

/** The expected outcome. `act`, `reservation_id` and `credential_hash` are empty if the credential was not verified. */
export type CredentialOutcome = (
  | { decision: "OPEN"; reopens: boolean; next: string[] }
  | { decision: "REFUSE"; refusal: string; told: "NOT_ACCEPTED" | "PINS_LOCKED" | "NO_PLACE_FREE" | "NO_DEPOSITS" | "OUT_OF_ORDER" }
) & { act: string; reservation_id: string; bundle_id: string; delegated: boolean; credential_hash: string; lock_out: VectorLockOut };
