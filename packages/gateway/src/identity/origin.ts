import type { PublishableKeyRecord } from "./key-directory.ts";

/**
 * Whether a publishable key may be used from where a request came. A page's origin must be one of the key's. Without an Origin header the
 * request came from no page: a test key may be tried so, e.g. with curl, a live key may not.
 */
export function isOriginAllowed(key: PublishableKeyRecord, origin: string | undefined): boolean {
  if (origin === undefined) return key.mode === "test";
  if (key.origins.includes(origin)) return true;
  if (key.origins.includes("*") && key.mode === "test") return true;
  // An origin may be registered with its default port or in capitals; browsers send neither.
  return key.origins.some((allowed) => URL.canParse(allowed) && new URL(allowed).origin === origin);
}
