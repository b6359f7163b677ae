import type { StoredWebhook } from "@petak/records";
import { deriveWebhookKey } from "../../../secrets/webhook-keys.ts";
import { cloudEventType } from "./cloud-event.ts";
import type { Attempt, PostEvent, PostOptions } from "./post-event.ts";
import { signingKeysAt } from "./signing-keys.ts";
import { signedHeaders } from "./webhook-signature.ts";

/** Makes one signed attempt to deliver an event. Rejects only if the signal aborts. */
export type SignAndPost = (endpoint: StoredWebhook, event: { id: string; body: Buffer }, options: PostOptions) => Promise<Attempt>;

/** Creates the function. The endpoints' keys are derived from `derivationKey`. */
export function createSignAndPost(post: PostEvent, derivationKey: Uint8Array, now: () => number): SignAndPost {
  return (endpoint, { id, body }, options) => {
    const nowMs = now();
    const keys = signingKeysAt(endpoint, nowMs).map(
      ({ number }) => deriveWebhookKey(derivationKey, endpoint.endpointId, number).privateKey,
    );
    const headers = { "content-type": cloudEventType, ...signedHeaders({ id, timestampS: Math.floor(nowMs / 1000), body }, keys) };
    return post({ url: endpoint.url, headers, body }, options);
  };
}
