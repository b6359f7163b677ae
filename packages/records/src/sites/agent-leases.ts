import { isStoreFailure, type Keys, type RedisConnection, type SiteIds } from "@petak/redis";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";

/** An agent's key at its site. */
export interface LeaseKey {
  siteId: string;
  keyId: string;
}

/** An epoch as its holder names it. */
export interface HeldEpoch {
  number: number;
  /** The nonce of the boot that got it: 16 bytes. */
  nonce: Uint8Array;
}

/** What an agent asks for when it starts. */
export interface LeaseRequest extends LeaseKey {
  /** Undefined: it holds no epoch. */
  held: HeldEpoch | undefined;
  /** When the epoch that it holds was given, in ms since 1970, if it has proven that. */
  provenAtMs?: number | undefined;
  /** Empty: an agent of an earlier release, which asks for none. */
  bootNonce: Uint8Array;
  processNonce: Uint8Array;
  nowMs: number;
}

/**
 * The answer: `given` an epoch at a time in ms since 1970, by the operator's word or not; `none` was ever given to the key, and none was asked for; `stale` somebody else has a later one;
 * `ended` the key is revoked.
 */
export type LeaseOutcome =
  | { tag: "given"; epoch: number; atMs: number; isByWord: boolean }
  | { tag: "none" }
  | { tag: "stale"; currentEpoch: number }
  | { tag: "ended" };

/** A request of an operator that the holder of an epoch goes on. */
export interface LetGoOn extends LeaseKey {
  /** 0: whoever holds none. */
  heldEpoch: number;
  requestId: string;
  nowMs: number;
}

/** The epoch that is in force, where an agent has named another. */
export interface OtherEpoch {
  number: number;
  /** When it was given, in ms since 1970. 0: not known. */
  givenAtMs: number;
}

/** The leases of agents: which of the disks with one key goes on, by a number that only rises. */
export interface AgentLeases {
  /** Gives an agent that starts its epoch. Atomic, also over several gateways. */
  take(request: LeaseRequest): Promise<LeaseOutcome>;
  /** The last epoch that was given to a key, if the named one is not in force. Undefined: it is, or none was given. The first that is named for a nonce is in force from then on. */
  otherThan(key: LeaseKey, named: HeldEpoch | undefined): Promise<OtherEpoch | undefined>;
  /**
   * Lets the holder of an earlier epoch take the next one, and refuses the holder of the last one. Once for each request. Returns the last epoch if no such epoch was
   * given; undefined: it was.
   */
  letGoOn(request: LetGoOn): Promise<number | undefined>;
}

const takeScript = createScript("take-epoch");
const nameScript = createScript("name-epoch");
const allowScript = createScript("allow-epoch");

/** Keeps the leases in Redis. That of a revoked key ends with its watermark. */
export function createAgentLeases(redis: RedisConnection, keys: Keys, siteIds: SiteIds): AgentLeases {
  function nameOf({ siteId, keyId }: LeaseKey): string {
    const { region, siteNumber } = siteIds.require(siteId);
    return keys.agentLease(region, siteNumber, keyId);
  }

  /** Puts an epoch in force that nobody has named yet. Returns whether it is. */
  async function name(lease: string, { number, nonce }: HeldEpoch): Promise<boolean> {
    try {
      const [tag] = await nameScript(redis, [lease], [number, Buffer.from(nonce)]);
      return tag === "named";
    } catch (error) {
      // A store that rejects writes must not keep the agent from reading. Its next call names it.
      if (isStoreFailure(error)) return true;
      throw error;
    }
  }

  return {
    async take({ held, provenAtMs = 0, bootNonce, processNonce, nowMs, ...key }) {
      const own = [held?.number ?? 0, Buffer.from(held?.nonce ?? []), Buffer.from(bootNonce), Buffer.from(processNonce)];
      const [tag, value, at, byWord] = await takeScript(redis, [nameOf(key)], [...own, nowMs, provenAtMs]);
      if (tag === "given") return { tag, epoch: Number(value), atMs: Number(at), isByWord: String(byWord) === "1" };
      if (tag === "stale") return { tag, currentEpoch: Number(value) };
      return { tag: tag === "ended" ? tag : "none" };
    },
    async letGoOn({ heldEpoch, requestId, nowMs, ...key }) {
      const [tag, last] = await allowScript(redis, [nameOf(key)], [heldEpoch, requestId, nowMs]);
      return tag === "unknown" ? Number(last) : undefined;
    },
    async otherThan(key, epoch) {
      const lease = nameOf(key);
      const [last, nonce, at, named] = await redis.hmgetBuffer(lease, "last", "nonce", "at", "named");
      const number = numberOf(last);
      if (number === 0) return undefined;
      const isSame = epoch !== undefined && nonce?.equals(epoch.nonce) === true;
      if (isSame && (named == null ? await name(lease, epoch) : numberOf(named) === epoch.number)) return undefined;
      return { number, givenAtMs: numberOf(at) };
    },
  };
}

function numberOf(bytes: Buffer | null | undefined): number {
  return bytes == null ? 0 : Number(bytes.toString());
}

/** Ends the lease of a revoked key, which is deleted later: nothing is written any more for a call that was allowed before. */
export async function endLease(redis: RedisConnection, lease: string): Promise<void> {
  await redis.hset(lease, "ended", 1);
  await redis.pexpire(lease, responseTtlMs, "NX");
}
