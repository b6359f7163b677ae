import type { ModeName, Role } from "@petak/protocol";

/** A registered public key, with what its participant may do. */
export interface KeyRecord {
  readonly keyId: string;
  readonly participantId: string;
  /** The participant's roles. */
  readonly roles: readonly Role[];
  readonly mode: ModeName;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** For an agent's key: the site it runs. */
  readonly siteId?: string;
  /** When it was or will be revoked, in ms. */
  readonly revokedAtMs?: number;
}

/** A publishable key. */
export interface PublishableKeyRecord {
  readonly publishableKey: string;
  readonly participantId: string;
  readonly mode: ModeName;
  /** The web origins whose pages may use it. `*`: every origin, for test keys only. */
  readonly origins: readonly string[];
  /** Requests a second that one gateway answers with it. */
  readonly requestsPerSecond: number;
  /** When it was revoked, in ms. */
  readonly revokedAtMs?: number;
}

/** What was looked up: at once where it was in memory. */
export type Found<Wanted> = Wanted | undefined | Promise<Wanted | undefined>;

/**
 * Finds keys. It is asked at every request, so it answers from memory; what it holds may be 10 s old at most, because a revoked key opens
 * nothing after that.
 */
export interface KeyDirectory {
  /** The key with an id, revoked or not. */
  findKey(keyId: string): Found<KeyRecord>;
  /** The publishable key, revoked or not. */
  findPublishableKey(publishableKey: string): Found<PublishableKeyRecord>;
}
