import type { StoredWebhook, StoredWebhookKey } from "@petak/records";

/** A key that signs now. */
export interface SigningKey extends StoredWebhookKey {
  /** When it stops to sign, in ms. Undefined: it is the newest. */
  expiresMs: number | undefined;
}

/** Keys that sign at once, at most: the headers stay short, and who changes keys again in a hurry still has time. */
export const signingKeysMax = 3;

/** The keys of an endpoint that sign at a time, newest first. */
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
