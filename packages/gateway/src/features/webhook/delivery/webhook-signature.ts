import { type KeyObject, sign } from "node:crypto";

/** The signed content of a delivery. */
export interface SignedContent {
  /** The `webhook-id`: the event's id. */
  id: string;
  /** Time of the attempt, in seconds since 1970: the `webhook-timestamp`. */
  timestampS: number;
  body: Buffer;
}

/**
 * The headers of Standard Webhooks for one attempt. The only signed form is `v1a`, Ed25519 over `id.timestamp.body`. During a key rotation there is one
 * signature for each key, separated by spaces.
 */
export function signedHeaders({ id, timestampS, body }: SignedContent, keys: readonly KeyObject[]): Record<string, string> {
  const content = Buffer.concat([Buffer.from(`${id}.${timestampS}.`), body]);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampS),
    "webhook-signature": keys.map((key) => `v1a,${sign(null, content, key).toString("base64")}`).join(" "),
  };
}
