import { WebhookFailure, WebhookFailureSchema } from "@petak/protocol";
import type { Attempt } from "./post-event.ts";

/** Names the result of an attempt, for metrics and spans: `delivered`, or why not. */
export function outcomeOf({ failure }: Attempt): string {
  if (failure === WebhookFailure.UNSPECIFIED) return "delivered";
  return WebhookFailureSchema.value[failure]?.localName.toLowerCase() ?? "other";
}
