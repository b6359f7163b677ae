import { Act, parseBundleId, parseReservationId } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";

/**
 * Which access tokens, also delegated ones, and PINs were issued, by their hashes, until no report about one of them can come any more.
 */
export interface IssuedCredentials {
  /** Records a credential. Must succeed before it is handed out. @param subjectId a reservation, a bundle or, for SERVICE, a site of this store */
  add(subjectId: string, credential: IssuedCredential): Promise<void>;
  /** Whether a token with this hash was issued for a subject, and has not ended for an hour. @param nowMs the gateway's clock */
  has(subjectId: string, credentialHash: string, nowMs: number): Promise<boolean>;
  /** Whether a credential of a kind was issued for a reservation or bundle; false for any other id. It may have ended up to 14 days ago. */
  wasIssued(subjectId: string, credential: NamedCredential): Promise<boolean>;
  /** Records that reservations leave a bundle, for whose credential their doors may still open where the agent is offline. */
  leaveBundle(reservationIds: readonly string[], bundleId: string, nowMs: number): Promise<void>;
  /** Whether a reservation has left a bundle; false for any other ids. */
  hasLeftBundle(reservationId: string, bundleId: string): Promise<boolean>;
  /** The time in ms from which on every issued credential is recorded. Earlier ones may not be. 0: all are. */
  completeSinceMs(): Promise<number>;
  /** Lets {@link completeSinceMs} begin, once for each store: at the start of the first gateway that records credentials. @param nowMs its clock */
  begin(nowMs: number): Promise<void>;
}

/** A token, by its act, or a PIN. */
export type IssuedKind = Act | "PIN";

/** A credential as reports name it. */
export interface NamedCredential {
  kind: IssuedKind;
  /** Whether it is a token that is bound to a key. */
  isBound: boolean;
  /** SHA-256 of its id in base64url. */
  credentialHash: string;
}

/** An issued credential. */
export interface IssuedCredential extends NamedCredential {
  /** End of its validity, in ms. */
  expiresAtMs: number;
  /** The gateway's clock, in ms. */
  nowMs: number;
}

/** How long a token can be revoked after its end, in ms: clocks at sites may be late. */
const afterEndMs = 3_600_000;

const dayMs = 86_400_000;

/** The longest validity of a credential, in ms. */
const validityMaxMs = 14 * dayMs;

/** How long the credentials of a reservation or bundle are kept after their end, in ms: an agent without the network opens for 14 days at most, and reports then. */
const reportedForMs = 14 * dayMs;

/** How long gateways of the earlier release, which records nothing, may go on beside the first that does, in ms. */
const upgradeMs = dayMs;

/** What the entry of a credential begins with: a capital if it is bound to a key. An entry that begins with `b` is a bundle that was left. */
const prefixes: ReadonlyMap<IssuedKind, string> = new Map<IssuedKind, string>([
  [Act.DEPOSIT, "d"],
  [Act.COLLECT, "c"],
  [Act.RECALL, "r"],
  [Act.SERVICE, "s"],
  ["PIN", "p"],
]);

function entryOf({ kind, isBound, credentialHash }: NamedCredential): string {
  const prefix = prefixes.get(kind) ?? "";
  return `${isBound ? prefix.toUpperCase() : prefix}${credentialHash}`;
}

/** Records issued credentials in Redis. */
export function createIssuedCredentials(redis: RedisConnection, keys: Keys, siteIds: SiteIds): IssuedCredentials {
  /** The key of a reservation or bundle. */
  function keyOf(subjectId: string): string | undefined {
    const reservation = parseReservationId(subjectId);
    if (reservation !== undefined) return keys.issued(reservation.region, reservation.handle);
    const bundle = parseBundleId(subjectId);
    return bundle && keys.issued(bundle.region, `b${bundle.handle}`);
  }

  function siteKey(subjectId: string): string {
    const { region, siteNumber } = siteIds.require(subjectId);
    return keys.siteIssued(region, siteNumber);
  }

  /** Lets a key end after a time, in ms, unless it ends later already. */
  const keepFor = (key: string, keptMs: number) => [redis.pexpire(key, keptMs, "NX"), redis.pexpire(key, keptMs, "GT")];

  return {
    async add(subjectId, { expiresAtMs, nowMs, ...credential }) {
      const key = keyOf(subjectId);
      const keptMs = Math.max(0, expiresAtMs - nowMs) + (key === undefined ? afterEndMs : reportedForMs);
      const name = key ?? siteKey(subjectId);
      // Sent together. The key ends with the last of its credentials.
      await Promise.all([
        // A reservation and a bundle end, a site does not.
        key === undefined ? redis.zremrangebyscore(name, "-inf", nowMs) : undefined,
        redis.zadd(name, expiresAtMs + afterEndMs, entryOf(credential)),
        ...keepFor(name, keptMs),
      ]);
    },
    async has(subjectId, credentialHash, nowMs) {
      const kinds = [Act.DEPOSIT, Act.COLLECT, Act.RECALL, Act.SERVICE];
      const entries = kinds.flatMap((kind) => [false, true].map((isBound) => entryOf({ kind, isBound, credentialHash })));
      const ends = await redis.zmscore(keyOf(subjectId) ?? siteKey(subjectId), ...entries);
      return ends.some((end) => end !== null && Number(end) > nowMs);
    },
    async wasIssued(subjectId, credential) {
      const key = keyOf(subjectId);
      return key !== undefined && (await redis.zscore(key, entryOf(credential))) !== null;
    },
    async leaveBundle(reservationIds, bundleId, nowMs) {
      const handle = parseBundleId(bundleId)?.handle;
      await Promise.all(
        reservationIds.flatMap((reservationId) => {
          const key = keyOf(reservationId);
          if (key === undefined || handle === undefined) return [];
          return [redis.zadd(key, nowMs, `b${handle}`), ...keepFor(key, validityMaxMs + reportedForMs)];
        }),
      );
    },
    async hasLeftBundle(reservationId, bundleId) {
      const [key, handle] = [keyOf(reservationId), parseBundleId(bundleId)?.handle];
      return key !== undefined && handle !== undefined && (await redis.zscore(key, `b${handle}`)) !== null;
    },
    completeSinceMs: async () => Number((await redis.get(keys.issuedSince())) ?? 0),
    async begin(nowMs) {
      const hasSites = (await redis.exists(keys.regions())) > 0;
      await redis.setnx(keys.issuedSince(), hasSites ? nowMs + upgradeMs : 0);
    },
  };
}
