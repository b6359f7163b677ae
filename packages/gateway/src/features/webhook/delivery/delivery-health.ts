import { WebhookFailure } from "@petak/protocol";
import type { DeliveryFields } from "@petak/records";
import type { FeedName } from "@petak/redis";
import { decodeCursor, type FeedCursor } from "../../feed/feed-cursor.ts";
import type { Attempt } from "./post-event.ts";

/** Health of the deliveries to an endpoint. Times are in ms. */
export interface DeliveryHealth {
  /** Position in the owner's feed. Empty: the beginning. */
  cursor: string;
  lastSuccessMs: number | undefined;
  lastFailureMs: number | undefined;
  lastFailure: WebhookFailure;
  lastFailureStatus: number;
  consecutiveFailures: number;
  /** Time of the first of the consecutive failures. */
  failingSinceMs: number | undefined;
  /** The `failingSinceMs` for which an alarm was recorded. */
  alarmedOfMs: number | undefined;
  /** When the gateway disabled the endpoint. */
  disabledMs: number | undefined;
  /** Number of events whose last attempt failed. */
  abandoned: number;
  /** When a new event was last attempted while the endpoint was failing. */
  probedMs: number | undefined;
}

/** An endpoint is failing after this many consecutive failures over at least this time, in ms, so that a restart of its server raises no alarm. */
const failingAttempts = 3;
const failingForMs = 60_000;

/** Interval in which one new event is attempted while an endpoint is failing, in ms, to detect its recovery. */
export const probeIntervalMs = 5 * 60_000;

/** Fields that are cleared when the owner resumes the endpoint. */
export const fieldsOfFailing: readonly string[] = ["disabledMs", "consecutiveFailures", "failingSinceMs", "alarmedOfMs", "probedMs"];

/** Whether the endpoint is failing. */
export function isFailing({ consecutiveFailures, failingSinceMs, lastFailureMs }: DeliveryHealth): boolean {
  if (failingSinceMs === undefined || lastFailureMs === undefined) return false;
  return consecutiveFailures >= failingAttempts && lastFailureMs - failingSinceMs >= failingForMs;
}

/** The health after one more attempt. */
export function afterAttempt(health: DeliveryHealth, { failure, status }: Attempt, nowMs: number): DeliveryHealth {
  if (failure === WebhookFailure.UNSPECIFIED) {
    return {
      ...health,
      lastSuccessMs: nowMs,
      consecutiveFailures: 0,
      failingSinceMs: undefined,
      alarmedOfMs: undefined,
      probedMs: undefined,
    };
  }
  return {
    ...health,
    lastFailureMs: nowMs,
    lastFailure: failure,
    lastFailureStatus: status,
    consecutiveFailures: health.consecutiveFailures + 1,
    failingSinceMs: health.failingSinceMs ?? nowMs,
  };
}

/** Decodes what {@link fieldsOfHealth} encodes. */
export function healthIn(fields: DeliveryFields): DeliveryHealth {
  const ms = (field: string) => (fields[field] === undefined ? undefined : Number(fields[field]));
  return {
    cursor: fields.cursor ?? "",
    lastSuccessMs: ms("lastSuccessMs"),
    lastFailureMs: ms("lastFailureMs"),
    lastFailure: Number(fields.lastFailure ?? 0) as WebhookFailure,
    lastFailureStatus: Number(fields.lastFailureStatus ?? 0),
    consecutiveFailures: Number(fields.consecutiveFailures ?? 0),
    failingSinceMs: ms("failingSinceMs"),
    alarmedOfMs: ms("alarmedOfMs"),
    disabledMs: ms("disabledMs"),
    abandoned: Number(fields.abandoned ?? 0),
    probedMs: ms("probedMs"),
  };
}

/** Encodes the changed fields. An empty value deletes a field. */
export function fieldsOfHealth(health: DeliveryHealth, before: DeliveryHealth): DeliveryFields {
  const names = Object.keys(health) as (keyof DeliveryHealth)[];
  return Object.fromEntries(names.filter((name) => health[name] !== before[name]).map((name) => [name, String(health[name] ?? "")]));
}

/** The endpoint's position in its owner's feed. */
export function cursorIn(feed: FeedName, { cursor }: Pick<DeliveryHealth, "cursor">): FeedCursor {
  return cursor === "" ? { number: 0 } : decodeCursor(feed, cursor);
}
