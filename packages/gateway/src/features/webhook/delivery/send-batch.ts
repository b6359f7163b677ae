import { WebhookFailure } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";
import { bySubject, type Delivery, type DeliveryOutcome } from "./delivery.ts";
import { afterAttempt, type DeliveryHealth, isFailing } from "./delivery-health.ts";
import type { Attempt } from "./post-event.ts";
import type { SignAndPost } from "./sign-and-post.ts";
import type { Place, Slots } from "./slots.ts";
import type { After } from "./timers.ts";

/** How attempts are made, for all endpoints. */
export interface AttemptDependencies {
  signAndPost: SignAndPost;
  slots: Slots;
  now: () => number;
  after: After;
  /** Called after every attempt. */
  onAttempt: (attempt: Attempt) => void;
}

/** What ends the batches of one endpoint. */
export interface BatchEnds {
  /** Aborts when no further attempt may begin. */
  stopping: AbortSignal;
  /** Aborts attempts under way. */
  cut: AbortSignal;
  /** Whether the batch should end early, because something about the endpoint was changed. */
  isInterrupted: () => boolean;
}

/**
 * Sends a batch: deliveries about one subject one after another, those about several subjects at once. Gives the outcome of each, and the health after
 * all of them.
 */
export type SendBatch = (
  endpoint: StoredWebhook,
  batch: readonly Delivery[],
  before: DeliveryHealth,
) => Promise<{ outcomes: DeliveryOutcome[]; health: DeliveryHealth }>;

/** Longest attempt, in ms: what Standard Webhooks asks for at least. */
const attemptTimeoutMs = 15_000;

/** Attempts under way at once to one endpoint, each about another reservation. */
const concurrency = 4;

/** An attempt that takes longer, in ms, goes over to the slow ones, and the endpoint's next begins there. */
const slowAttemptMs = 2000;

/** Makes the sender of one endpoint's batches. */
export function createBatchSender(
  { signAndPost, slots, now, after, onAttempt }: AttemptDependencies,
  { stopping, cut, isInterrupted }: BatchEnds,
): SendBatch {
  let lastTookMs = 0;

  /** One attempt, or undefined if none was made. */
  async function tryOnce(endpoint: StoredWebhook, delivery: Delivery, health: DeliveryHealth): Promise<Attempt | undefined> {
    const isSlow = health.consecutiveFailures > 0 || lastTookMs > slowAttemptMs;
    let place: Place | undefined;
    let cancel: (() => void) | undefined;
    try {
      place = await slots.take(isSlow ? "slow" : "prompt", stopping);
      cancel = after(slowAttemptMs, place.slowDown);
      const attempt = await signAndPost(endpoint, delivery, { timeoutMs: attemptTimeoutMs, signal: cut });
      lastTookMs = attempt.tookMs;
      onAttempt(attempt);
      return attempt;
    } catch (error) {
      if (stopping.aborted) return undefined;
      throw error;
    } finally {
      cancel?.();
      place?.giveBack();
    }
  }

  return async (endpoint, batch, before) => {
    let health = before;
    const outcomes: DeliveryOutcome[] = [];
    const groups = bySubject(batch).values();
    async function run(): Promise<void> {
      for (const group of groups) {
        for (const delivery of group) {
          // What was changed is read first: the owner may have paused the endpoint.
          const isOver = stopping.aborted || isInterrupted() || health.disabledMs !== undefined;
          const attempt = isOver ? undefined : await tryOnce(endpoint, delivery, health);
          outcomes.push({ delivery, attempt });
          if (attempt === undefined) continue;
          health = afterAttempt(health, attempt, now());
          if (attempt.failure === WebhookFailure.GONE) health = { ...health, disabledMs: now() };
        }
      }
    }
    await Promise.all(Array.from({ length: isFailing(before) ? 1 : concurrency }, run));
    return { outcomes, health };
  };
}
