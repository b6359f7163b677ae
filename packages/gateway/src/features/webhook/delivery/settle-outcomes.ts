import { WebhookFailure } from "@petak/protocol";
import type { StoredRetry } from "@petak/records";
import { backoffScheduleMs, nextAttemptMs } from "./backoff-schedule.ts";
import { type DeliveryOutcome, retryOf } from "./delivery.ts";
import type { DeliveryHealth } from "./delivery-health.ts";

/** Changes to store after some deliveries. */
export interface Settlement {
  /** Ids of the events that were accepted or given up. */
  over: string[];
  retries: StoredRetry[];
  health: DeliveryHealth;
}

/** Shortest time of failures before an endpoint is disabled, in ms: the longest delay, so that an owner who resumed it has time for a repair. */
const disabledAfterMs = backoffScheduleMs.at(-1) ?? 0;

/**
 * Decides what follows each outcome: the delivery is done, is retried after the next delay, or is given up after the last one. An endpoint that accepted
 * nothing between the first and the last attempt of an event is disabled then.
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
      // Not attempted. The cursor moves past the event, so it is stored as a retry that is due.
      if (!delivery.isRetry) retries.push(retryOf(delivery, nowMs));
      continue;
    }
    const isAccepted = attempt.failure === WebhookFailure.UNSPECIFIED;
    const attempts = delivery.attempts + 1;
    const waitMs = isAccepted ? undefined : nextAttemptMs(attempts, attempt.retryAfterMs, random());
    if (waitMs !== undefined) {
      retries.push(retryOf({ ...delivery, attempts }, nowMs + waitMs));
      continue;
    }
    over.push(delivery.id);
    if (isAccepted) continue;
    const { lastSuccessMs = Number.NEGATIVE_INFINITY, failingSinceMs = nowMs } = health;
    const isDead = lastSuccessMs < delivery.firstMs && nowMs - failingSinceMs >= disabledAfterMs;
    health = { ...health, abandoned: health.abandoned + 1, ...(isDead ? { disabledMs: health.disabledMs ?? nowMs } : {}) };
  }
  return { over, retries, health };
}
