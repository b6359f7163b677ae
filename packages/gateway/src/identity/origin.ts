import type { PublishableKeyRecord } from "./key-directory.ts";

/**
 * Whether a publishable key may be used from the origin of a request, which must be one of the key's. A request without an Origin header did not come from
 * a page: it is allowed for test keys only, e.g. with curl.
 */
export function isOriginAllowed(key: PublishableKeyRecord, origin: string | undefined): boolean {
  if (origin === undefined) return key.mode === "test";
  if (key.origins.includes(origin)) return true;
  if (key.origins.includes("*") && key.mode === "test") return true;
  // A registered origin may have its default port or capitals, which browsers do not send.
  return key.origins.some((allowed) => URL.canParse(allowed) && new URL(allowed).origin === origin);
}
