import type { HoldLimits, ModeName, Role } from "@petak/protocol";

/** A registered public key, with its participant's roles. */
export interface KeyRecord {
  readonly keyId: string;
  readonly participantId: string;
  /** The participant's roles. */
  readonly roles: readonly Role[];
  /** The participant's own limits on unconfirmed holds. */
  readonly holdLimits?: HoldLimits;
  readonly mode: ModeName;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Site of an agent's key. */
  readonly siteId?: string;
  /** Time of the revocation, past or future, in ms. */
  readonly revokedAtMs?: number;
}

/** A publishable key. */
export interface PublishableKeyRecord {
  readonly publishableKey: string;
  readonly participantId: string;
  readonly mode: ModeName;
  /** Web origins whose pages may use the key. `*`: every origin, for test keys only. */
  readonly origins: readonly string[];
  /** Rate limit at each gateway, in requests per second. */
  readonly requestsPerSecond: number;
  /** When it was revoked, in ms. */
  readonly revokedAtMs?: number;
}

/** Result of a look-up, not a promise if it was cached. */
export type Found<Wanted> = Wanted | undefined | Promise<Wanted | undefined>;

/**
 * Finds keys. It is used for every request and therefore cached. Entries are at most 10 s old, so that a revocation takes effect within that time.
 */
export interface KeyDirectory {
  /** The key with an id, revoked or not. */
  findKey(keyId: string): Found<KeyRecord>;
  /** Whether a key or publishable key was found before, so that it need not be looked up to know that it exists. */
  isKnown(id: string): boolean;
  /** The publishable key, revoked or not. */
  findPublishableKey(publishableKey: string): Found<PublishableKeyRecord>;
}
