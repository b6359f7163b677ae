import { WebhookFailure } from "@petak/protocol";
import type { StoredRetry } from "@petak/records";
import { type DeliveryOutcome, retryOf } from "./delivery.ts";
import type { DeliveryHealth } from "./delivery-health.ts";
import { nextAttemptMs, retryLadderMs } from "./retry-ladder.ts";

/** What is to be written down of some deliveries. */
export interface Settlement {
  /** Ids of the events that were taken, or given up. */
  over: string[];
  retries: StoredRetry[];
  health: DeliveryHealth;
}

/** An endpoint is given up when it has failed for at least so long, in ms: who let one go on has the longest rung to put it right. */
const givenUpAfterMs = retryLadderMs.at(-1) ?? 0;

/**
 * Says what becomes of each delivery: over, on the next rung, or given up after the last. An endpoint that took nothing from the first attempt of an
 * event to the last is given up with it.
 *
 * @param random gives a number in [0, 1) for each retry
 */
export function settleOutcomes(
  outcomes: readonly DeliveryOutcome[],
  given: DeliveryHealth,
  { nowMs, random }: { nowMs: number; random: () => number },
): Settlement {
  let health = given;
  const over: string[] = [];
  const retries: StoredRetry[] = [];
  for (const { delivery, attempt } of outcomes) {
    if (attempt === undefined) {
      // Not tried: the cursor goes past it, so it is kept as if it were due.
      if (!delivery.isRetry) retries.push(retryOf(delivery, nowMs));
      continue;
    }
    const isTaken = attempt.failure === WebhookFailure.UNSPECIFIED;
    const attempts = delivery.attempts + 1;
    const waitMs = isTaken ? undefined : nextAttemptMs(attempts, attempt.retryAfterMs, random());
    if (waitMs !== undefined) {
      retries.push(retryOf({ ...delivery, attempts }, nowMs + waitMs));
      continue;
    }
    over.push(delivery.id);
    if (isTaken) continue;
    const { lastSuccessMs = Number.NEGATIVE_INFINITY, failingSinceMs = nowMs } = health;
    const isDead = lastSuccessMs < delivery.firstMs && nowMs - failingSinceMs >= givenUpAfterMs;
    health = { ...health, abandoned: health.abandoned + 1, ...(isDead ? { disabledMs: health.disabledMs ?? nowMs } : {}) };
  }
  return { over, retries, health };
}
