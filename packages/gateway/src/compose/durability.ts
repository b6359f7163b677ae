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

/** Durability of changes. */
export interface DurabilityOptions {
  level: DurabilityLevel;
  /** What happens at the start if the server contradicts the level. */
  check: "refuse" | "warn";
  /** Required acknowledgements of replicas for the level `replicated`. */
  replication: ReplicationLevel;
}

/** The server is configured for less than the requested durability. The message says what to change. */
export class DurabilityError extends Error {
  override readonly name = "DurabilityError";
}

/**
 * Checks that the server provides the durability level. Settings that the server does not reveal are logged as warnings.
 *
 * @throws {DurabilityError} if it contradicts the level and the check is `refuse`.
 */
export async function requireDurability(redis: RedisConnection, { level, check }: DurabilityOptions, logger: Logger): Promise<void> {
  const { contradictions, unknown } = await inspectDurability(redis, level);
  if (contradictions.length > 0 && check === "refuse") {
    throw new DurabilityError(`${contradictions.join(" ")} To start anyway, set durabilityCheck to warn.`);
  }
  for (const problem of [...contradictions, ...unknown]) logger.warn({ durability: level }, problem);
}

/** Creates the acknowledgements that changes wait for. Undefined: the server's own response is enough. */
export function replicatedAcknowledgements(
  connection: RedisConnection,
  keys: Keys,
  durability: DurabilityOptions | undefined,
  onError: (error: Error) => void,
): Acknowledgements | undefined {
  if (durability?.level !== "replicated") return undefined;
  return createAcknowledgements({ connection, keys, level: durability.replication, onError });
}
