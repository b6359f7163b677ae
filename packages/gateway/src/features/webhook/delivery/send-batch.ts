import { WebhookFailure } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";
import { bySubject, type Delivery, type DeliveryOutcome } from "./delivery.ts";
import { afterAttempt, type DeliveryHealth, isFailing } from "./delivery-health.ts";
import type { Attempt } from "./post-event.ts";
import type { SignAndPost } from "./sign-and-post.ts";
import type { Slot, Slots } from "./slots.ts";
import type { After } from "./timers.ts";

export interface AttemptDependencies {
  signAndPost: SignAndPost;
  slots: Slots;
  now: () => number;
  after: After;
  /** Called after every attempt. */
  onAttempt: (attempt: Attempt) => void;
}

/** Conditions that end the batches of one endpoint. */
export interface BatchEnds {
  /** Aborts when no further attempt may begin. */
  stopping: AbortSignal;
  /** Aborts attempts in flight. */
  cut: AbortSignal;
  /** Whether the batch should end early, because the endpoint was changed. */
  isInterrupted: () => boolean;
}

/**
 * Sends a batch: deliveries with one subject in sequence, those with different subjects concurrently. Returns the outcome of each, and the health
 * afterwards.
 */
export type SendBatch = (
  endpoint: StoredWebhook,
  batch: readonly Delivery[],
  before: DeliveryHealth,
) => Promise<{ outcomes: DeliveryOutcome[]; health: DeliveryHealth }>;

/** Time-out of an attempt, in ms: the minimum of Standard Webhooks. */
const attemptTimeoutMs = 15_000;

/** Concurrent attempts to one endpoint, each with another subject. */
const concurrency = 4;

/** An attempt that takes longer, in ms, moves to the slots for slow endpoints, and the endpoint's next attempt starts there. */
const slowAttemptMs = 2000;

/** Creates the sender of one endpoint's batches. */
export function createBatchSender(
  { signAndPost, slots, now, after, onAttempt }: AttemptDependencies,
  { stopping, cut, isInterrupted }: BatchEnds,
): SendBatch {
  let lastTookMs = 0;

  /** Makes one attempt. Undefined: none was made, because the gateway stops. */
  async function tryOnce(endpoint: StoredWebhook, delivery: Delivery, health: DeliveryHealth): Promise<Attempt | undefined> {
    const isSlow = health.consecutiveFailures > 0 || lastTookMs > slowAttemptMs;
    let slot: Slot | undefined;
    let cancel: (() => void) | undefined;
    try {
      slot = await slots.take(isSlow ? "slow" : "prompt", stopping);
      cancel = after(slowAttemptMs, slot.slowDown);
      const attempt = await signAndPost(endpoint, delivery, { timeoutMs: attemptTimeoutMs, signal: cut });
      lastTookMs = attempt.tookMs;
      onAttempt(attempt);
      return attempt;
    } catch (error) {
      if (stopping.aborted) return undefined;
      throw error;
    } finally {
      cancel?.();
      slot?.release();
    }
  }

  return async (endpoint, batch, before) => {
    let health = before;
    const outcomes: DeliveryOutcome[] = [];
    const groups = bySubject(batch).values();
    async function run(): Promise<void> {
      for (const group of groups) {
        for (const delivery of group) {
          // A changed endpoint is read again first: the owner may have paused it.
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
