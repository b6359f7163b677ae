import { createHash } from "node:crypto";
import {
  generateIssuerKey,
  generateKeyPair,
  holderKeyHash,
  holderPresence,
  mintAccessToken,
  newChallenge,
  provePresence,
  readOwnToken,
} from "@petak/credential";
import { Act, DeviceEventType, ProofKind } from "@petak/protocol";
import { createIssuedCredentials, type IssuedCredentials, type NamedCredential } from "@petak/records";
import { connectRedis, createKeys, createSiteIds, type RedisAddress, type RedisConnection } from "@petak/redis";
import { testStoreCode } from "../test-store-code.ts";

/** What a report says of its credential. */
export interface ShownCredential {
  act: Act;
  proofKind: ProofKind;
  credentialHash: string;
  presence: string;
}

/** A report for which a credential is wanted. */
export interface UnseenReport {
  siteId: string;
  reservationId: string;
  type: DeviceEventType;
  /** Default: the act that the report is about. */
  act?: Act;
  /** Default: a token, bound for a recall. */
  proofKind?: ProofKind;
}

/** Records credentials as issued in a gateway's store, without a call and without an event, for reports that tests make by hand. */
export interface UnseenIssuer {
  /** A credential for what a report says of a reservation; undefined if such a report needs none. */
  shownFor(report: UnseenReport): Promise<ShownCredential | undefined>;
  close(): Promise<void>;
}

const acts: ReadonlyMap<DeviceEventType, Act> = new Map([
  [DeviceEventType.DOOR_OPENED, Act.DEPOSIT],
  [DeviceEventType.PARCEL_DEPOSITED, Act.DEPOSIT],
  [DeviceEventType.PARCEL_COLLECTED, Act.COLLECT],
  [DeviceEventType.PARCEL_RECALLED, Act.RECALL],
]);

const dayMs = 86_400_000;

/** Makes an issuer, which connects to the store when it is first used. */
export function createUnseenIssuer(store: { redis: RedisAddress; keyPrefix: string }, now: () => number): UnseenIssuer {
  let connection: Promise<RedisConnection> | undefined;

  async function connect(): Promise<RedisConnection> {
    const made = connectRedis(store.redis, { onError: () => undefined });
    await made.connect();
    return made;
  }

  async function issued(): Promise<IssuedCredentials> {
    connection ??= connect();
    return createIssuedCredentials(await connection, createKeys(store.keyPrefix), createSiteIds(testStoreCode));
  }

  async function add(reservationId: string, credential: NamedCredential): Promise<void> {
    await (await issued()).add(reservationId, { ...credential, expiresAtMs: now() + 14 * dayMs, nowMs: now() });
  }

  return {
    async shownFor({ siteId, reservationId, type, act = acts.get(type), proofKind = ProofKind.ACCESS_TOKEN }) {
      const needed = acts.get(type);
      if (reservationId === "" || needed === undefined || (type === DeviceEventType.DOOR_OPENED && act !== needed)) return undefined;
      if (needed === Act.RECALL) {
        const shown = await presentHolder(needed, siteId, reservationId);
        await add(reservationId, { kind: needed, isBound: true, credentialHash: shown.credentialHash });
        return shown;
      }
      const kind = proofKind === ProofKind.PIN ? "PIN" : needed;
      const credentialHash = hashed(`unseen ${reservationId} ${kind}`);
      await add(reservationId, { kind, isBound: false, credentialHash });
      return { act: needed, proofKind, credentialHash, presence: "" };
    },
    async close() {
      (await connection)?.disconnect();
    },
  };
}

/** A token that is bound to a new key, with the presence of its holder. */
async function presentHolder(act: Act, siteId: string, reservationId: string): Promise<ShownCredential> {
  const [issuerKey, { publicKey, privateJwk }] = await Promise.all([generateIssuerKey(), generateKeyPair()]);
  const bound = { holderKeyHash: await holderKeyHash(publicKey), notBeforeMs: 0, expiresAtMs: dayMs };
  const token = await mintAccessToken({ issuerKey, act, siteId, reservationId, ...bound });
  const credentialHash = hashed((await readOwnToken(token))?.tokenId ?? "");
  const proof = await provePresence({ token, challenge: newChallenge(), privateJwk });
  return { act, proofKind: ProofKind.BOUND_ACCESS_TOKEN, credentialHash, presence: holderPresence(token, proof) };
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
