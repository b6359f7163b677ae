import type { StoredWebhook } from "@petak/records";
import { type AttemptSpan, parseTraceparent, type Tracing } from "../../../observability/index.ts";
import { deriveWebhookKey } from "../../../secrets/webhook-keys.ts";
import { outcomeOf } from "./attempt-outcome.ts";
import { cloudEventType } from "./cloud-event.ts";
import type { Attempt, PostEvent, PostOptions } from "./post-event.ts";
import { signingKeysAt } from "./signing-keys.ts";
import { signedHeaders } from "./webhook-signature.ts";

/** An event as it is sent. */
export interface SentEvent {
  id: string;
  body: Buffer;
  /** The trace of the call that caused it. Undefined: none that is recorded. */
  traceparent?: string | undefined;
}

/** Makes one signed attempt to deliver an event. Rejects only if the signal aborts. */
export type SignAndPost = (endpoint: StoredWebhook, event: SentEvent, options: PostOptions) => Promise<Attempt>;

/** What signed attempts depend on. */
export interface SignAndPostDependencies {
  post: PostEvent;
  /** The endpoints' keys are derived from it. */
  derivationKey: Uint8Array;
  now: () => number;
  /** Records attempts as spans, of which receivers are told in `traceparent`. Default: nothing does, and they are told of the call that caused the event, as not recorded. */
  tracing?: Tracing | undefined;
}

/** Creates the function. */
export function createSignAndPost({ post, derivationKey, now, tracing }: SignAndPostDependencies): SignAndPost {
  return async (endpoint, { id, body, traceparent: cause }, options) => {
    const { endpointId, url } = endpoint;
    const nowMs = now();
    const keys = signingKeysAt(endpoint, nowMs).map(({ number }) => deriveWebhookKey(derivationKey, endpointId, number).privateKey);
    const signed = signedHeaders({ id, timestampS: Math.floor(nowMs / 1000), body }, keys);
    const span = tracing?.beginAttempt({ endpointId, eventId: id, url, cause: parseTraceparent(cause) });
    // A gateway that records nothing does not ask the receiver to record what a stranger may have begun.
    const traceparent = span?.traceparent ?? cause?.replace(/01$/, "00");
    const headers = { "content-type": cloudEventType, ...signed, ...(traceparent !== undefined && { traceparent }) };
    return await recorded(span, post({ url, headers, body }, options));
  };
}

async function recorded(span: AttemptSpan | undefined, attempting: Promise<Attempt>): Promise<Attempt> {
  let attempt: Attempt | undefined;
  try {
    attempt = await attempting;
    return attempt;
  } finally {
    if (attempt === undefined) span?.end("aborted", 0);
    else span?.end(outcomeOf(attempt), attempt.status);
  }
}
