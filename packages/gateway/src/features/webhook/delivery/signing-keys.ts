import type { StoredWebhook, StoredWebhookKey } from "@petak/records";

/** A key that is in use. */
export interface SigningKey extends StoredWebhookKey {
  /** When it stops signing, in ms. Undefined: it is the newest. */
  expiresMs: number | undefined;
}

/** Most keys that sign concurrently: bounds the headers, and allows a second rotation during an overlap. */
export const signingKeysMax = 3;

/** The keys of an endpoint that are in use at a time, newest first. */
export function signingKeysAt({ keys }: Pick<StoredWebhook, "keys">, nowMs: number): SigningKey[] {
  const all = keys.map((key, index): SigningKey => {
    const next = keys[index + 1];
    return { ...key, expiresMs: next === undefined ? undefined : next.createdMs + next.overlapMs };
  });
  return all
    .filter(({ expiresMs }) => expiresMs === undefined || nowMs < expiresMs)
    .slice(-signingKeysMax)
    .reverse();
}
