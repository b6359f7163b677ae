import { type KeyObject, sign } from "node:crypto";

/** What is sent, as far as it is signed. */
export interface SignedContent {
  /** The `webhook-id`: the event's id. */
  id: string;
  /** When the attempt is made, in seconds since 1970: the `webhook-timestamp`. */
  timestampS: number;
  body: Buffer;
}

/**
 * The headers of Standard Webhooks for one attempt. There is one signed form: `v1a`, Ed25519 over `id.timestamp.body`. While an endpoint's key is
 * changed there is one signature of each key, with a space between them.
 */
export function signedHeaders({ id, timestampS, body }: SignedContent, keys: readonly KeyObject[]): Record<string, string> {
  const content = Buffer.concat([Buffer.from(`${id}.${timestampS}.`), body]);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampS),
    "webhook-signature": keys.map((key) => `v1a,${sign(null, content, key).toString("base64")}`).join(" "),
  };
}
