/** One test vector: all that a verifier knows, what it is shown, and what must come of it. docs/credentials.md describes each member. */
export interface CredentialVector {
  id: string;
  /** What it shows, in a sentence. */
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

/** What a terminal remembers. */
export interface VectorState {
  spent: string[];
  /** For which reservations a bundle's credential that is spent still opens. */
  to_collect: { credential_id: string; reservation_ids: string[] }[];
  /** The challenges that the site gave and that were not used, and how long ago, in ms. */
  challenges: { challenge: string; age_ms: number }[];
  visits: VectorVisit[];
  lock_out: VectorLockOut;
  /** Each of a reservation or of a bundle. */
  pins: { reservation_id?: string; bundle_id?: string; hash: string; not_before_ms: number; expires_at_ms: number }[];
  bundles: { bundle_id: string; reservation_ids: string[] }[];
  /** Each of a reservation, of a bundle, or of the site: for SERVICE. */
  revoked: { reservation_id?: string; bundle_id?: string; site_id?: string; credential_hash: string }[];
  /** Reservations whose parcels lie at the site. */
  inside: string[];
  /** Reservations that are over or in doubt, by the gateway's list. */
  over: string[];
  /** Reservations that are over by what the terminal saw: their parcels were taken, or were not there when somebody looked after a doubt. */
  ended: string[];
  /** Doors by their names, for work at the site: whose parcel lies behind each (empty: nobody's), and whether something is seen there. */
  compartments: { compartment_id: string; reservation_id: string; occupied: boolean }[];
  /** The size classes, by number, that have a place free. */
  free_size_classes: number[];
}

/** A door that a credential opened and whose outcome is open. */
export interface VectorVisit {
  credential_id: string;
  reservation_id: string;
  phase: "OPENING" | "OPEN" | "CLOSED";
  reopenings: number;
  grace_until_ms: number;
}

/** The bank-wide lock-out. */
export interface VectorLockOut {
  failures: number;
  last_failure_ms: number;
  locked_until_ms: number;
}

/** What must come of it. `act`, `reservation_id` and `credential_hash` are empty where the credential proved nothing. */
export type CredentialOutcome = (
  | { decision: "OPEN"; reopens: boolean; next: string[] }
  | { decision: "REFUSE"; refusal: string; told: "NOT_ACCEPTED" | "PINS_LOCKED" | "NO_PLACE_FREE" | "OUT_OF_ORDER" }
) & { act: string; reservation_id: string; bundle_id: string; delegated: boolean; credential_hash: string; lock_out: VectorLockOut };
