import { WebhookFailure } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { backoffScheduleMs } from "./backoff-schedule.ts";
import type { Delivery } from "./delivery.ts";
import { type DeliveryHealth, healthIn } from "./delivery-health.ts";
import type { Attempt } from "./post-event.ts";
import { settleOutcomes } from "./settle-outcomes.ts";

const hourMs = 3_600_000;
const nowMs = 100 * hourMs;
const clock = { nowMs, random: () => 0 };

function delivery(more: Partial<Delivery> = {}): Delivery {
  return { id: "evt_1", subject: "res_1", body: Buffer.from("{}"), attempts: 0, firstMs: nowMs, isRetry: false, ...more };
}

function attempt(failure: WebhookFailure): Attempt {
  return { failure, status: 0, retryAfterMs: undefined, tookMs: 50, excerpt: "" };
}

const failed = attempt(WebhookFailure.TIMED_OUT);
const last = delivery({ attempts: backoffScheduleMs.length - 1, firstMs: nowMs - 76 * hourMs, isRetry: true });
const health = (more: Partial<DeliveryHealth> = {}): DeliveryHealth => ({ ...healthIn({}), ...more });

describe("a delivery", () => {
  it("that was accepted is done, and one that failed is retried after the next delay", () => {
    const taken = settleOutcomes([{ delivery: delivery(), attempt: attempt(WebhookFailure.UNSPECIFIED) }], health(), clock);
    expect(taken).toMatchObject({ over: ["evt_1"], retries: [] });
    const tried = settleOutcomes([{ delivery: delivery({ attempts: 1 }), attempt: failed }], health(), clock);
    expect(tried).toMatchObject({ over: [], retries: [{ id: "evt_1", dueMs: nowMs + (backoffScheduleMs[2] ?? 0) }] });
  });

  it("that was not attempted is stored as due, once", () => {
    expect(settleOutcomes([{ delivery: delivery(), attempt: undefined }], health(), clock).retries).toMatchObject([{ dueMs: nowMs }]);
    expect(settleOutcomes([{ delivery: last, attempt: undefined }], health(), clock)).toMatchObject({ over: [], retries: [] });
  });

  it("is given up after the last delay, and the endpoint is disabled if it accepted nothing since the first attempt", () => {
    const outcomes = [{ delivery: last, attempt: failed }];
    // The first attempt failed after 50 ms.
    const dead = settleOutcomes(outcomes, health({ failingSinceMs: last.firstMs + 50 }), clock);
    expect(dead).toMatchObject({ over: ["evt_1"], retries: [], health: { abandoned: 1, disabledMs: nowMs } });
    const alive = settleOutcomes(outcomes, health({ failingSinceMs: nowMs - 30 * hourMs, lastSuccessMs: nowMs - 40 * hourMs }), clock);
    expect(alive.health).toMatchObject({ abandoned: 1, disabledMs: undefined });
    const resumed = settleOutcomes(outcomes, health({ failingSinceMs: nowMs - hourMs }), clock);
    expect(resumed.health).toMatchObject({ abandoned: 1, disabledMs: undefined });
  });
});
