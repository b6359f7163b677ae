import {
  type Acknowledgements,
  createAcknowledgements,
  type DurabilityLevel,
  inspectDurability,
  type Keys,
  type RedisConnection,
  type ReplicationLevel,
} from "@petak/redis";
import type { Logger } from "../observability/logger.ts";

/** How safe a change is when it is answered. */
export interface DurabilityOptions {
  level: DurabilityLevel;
  /** What a start does where the server contradicts the level. */
  check: "refuse" | "warn";
  /** What replicas must have, where the level is `replicated`. */
  replication: ReplicationLevel;
}

/** The server that has the records does not keep what the operator has asked for. The message says what, and the way out. */
export class DurabilityError extends Error {
  override readonly name = "DurabilityError";
}

/**
 * Looks whether the server keeps what the level says.
 *
 * @throws {DurabilityError} where it contradicts the level, and a start is to be refused then. What it does not tell is warned of.
 */
export async function requireDurability(redis: RedisConnection, { level, check }: DurabilityOptions, logger: Logger): Promise<void> {
  const { contradictions, unknown } = await inspectDurability(redis, level);
  if (contradictions.length > 0 && check === "refuse") {
    throw new DurabilityError(`${contradictions.join(" ")} To start all the same, set durabilityCheck to warn.`);
  }
  for (const problem of [...contradictions, ...unknown]) logger.warn({ durability: level }, problem);
}

/** What changes wait for before they are answered; undefined where the server's own answer is enough. */
export function replicatedAcknowledgements(
  connection: RedisConnection,
  keys: Keys,
  durability: DurabilityOptions | undefined,
  onError: (error: Error) => void,
): Acknowledgements | undefined {
  if (durability?.level !== "replicated") return undefined;
  return createAcknowledgements({ connection, keys, level: durability.replication, onError });
}
