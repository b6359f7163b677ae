import { WebhookFailure } from "@petak/protocol";
import type { DeliveryFields } from "@petak/records";
import type { FeedName } from "@petak/redis";
import { decodeCursor, type FeedCursor } from "../../feed/feed-cursor.ts";
import type { Attempt } from "./post-event.ts";

/** How the deliveries to an endpoint have been going. Times are in ms. */
export interface DeliveryHealth {
  /** How far its owner's feed was read; empty: it was not. */
  cursor: string;
  lastSuccessMs: number | undefined;
  lastFailureMs: number | undefined;
  lastFailure: WebhookFailure;
  lastFailureStatus: number;
  consecutiveFailures: number;
  /** When the first of the consecutive failures was. */
  failingSinceMs: number | undefined;
  /** The `failingSinceMs` of which an alarm has told. */
  alarmedOfMs: number | undefined;
  /** When the gateway gave the endpoint up. */
  disabledMs: number | undefined;
  abandoned: number;
  /** When an event was last tried, while the endpoint is failing, that had not been tried before. */
  probedMs: number | undefined;
}

/** An endpoint is failing after so many attempts in a row that failed, over so many ms: a restart of its server is no reason for an alarm. */
const failingAttempts = 3;
const failingForMs = 60_000;

/** While an endpoint is failing one new event is tried in this time, in ms, so that it is noticed soon when it works again. */
export const probeIntervalMs = 5 * 60_000;

/** Fields that its owner takes away to let an endpoint go on. */
export const fieldsOfFailing: readonly string[] = ["disabledMs", "consecutiveFailures", "failingSinceMs", "alarmedOfMs", "probedMs"];

/** Whether attempts have failed for a while. */
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

/** Reads what {@link fieldsOfHealth} wrote. */
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

/** The fields that changed, as they are kept; an empty value takes a field away. */
export function fieldsOfHealth(health: DeliveryHealth, before: DeliveryHealth): DeliveryFields {
  const names = Object.keys(health) as (keyof DeliveryHealth)[];
  return Object.fromEntries(names.filter((name) => health[name] !== before[name]).map((name) => [name, String(health[name] ?? "")]));
}

/** How far the feed of an endpoint's owner was read for it. */
export function cursorIn(feed: FeedName, { cursor }: Pick<DeliveryHealth, "cursor">): FeedCursor {
  return cursor === "" ? { number: 0 } : decodeCursor(feed, cursor);
}
