import { cors } from "@connectrpc/connect";
import { requestIdHeader } from "./request-id.ts";

/** How long a browser may remember a preflight, in s: two hours, the most that Chromium takes. */
const maxAgeS = 7200;

const allowedHeaders = [...cors.allowedHeaders, "Authorization", requestIdHeader].join(", ");
const exposedHeaders = [...cors.exposedHeaders, requestIdHeader].join(", ");

/**
 * The headers that let a page read an answer, errors too. Any origin is let in here: which key works on which origin is decided by the
 * key, and no cookies are used, so nothing is open to a page that is not open to everybody.
 */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  // Vary goes out always, or a cache would give a page the answer that was made for a caller without an origin.
  if (origin === undefined) return { vary: "Origin" };
  return { vary: "Origin", "access-control-allow-origin": origin, "access-control-expose-headers": exposedHeaders };
}

/** The further headers of the answer to a preflight. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-methods": cors.allowedMethods.join(", "),
  "access-control-allow-headers": allowedHeaders,
  "access-control-max-age": String(maxAgeS),
};
