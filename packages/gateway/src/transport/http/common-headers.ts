import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { cors } from "@connectrpc/connect";
import { traceparentHeader } from "../../observability/trace-context.ts";

/** The header that carries the request id, in requests and in answers. */
export const requestIdHeader = "x-request-id";

/** Returns the caller's request id if it is a short plain token, else a new UUID: an id is written into logs and headers. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}

/** The header that carries a proof for one call, as in RFC 9449. */
export const proofHeader = "dpop";

/** Returns the proof among a request's headers. Several are one text, which is no proof. */
export function proofFrom(headers: IncomingHttpHeaders): string | undefined {
  return textOf(headers[proofHeader]);
}

/** Returns the `traceparent` among a request's headers, valid or not. Several are one text, which is not valid. */
export function traceparentFrom(headers: IncomingHttpHeaders): string | undefined {
  return textOf(headers[traceparentHeader]);
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}

/** How long a browser may cache the answer to a preflight request, in s: two hours, the longest that Chromium allows. */
const preflightMaxAgeS = 7200;

const allowedHeaders = [...cors.allowedHeaders, "Authorization", "DPoP", requestIdHeader, traceparentHeader, "tracestate"].join(", ");
const exposedHeaders = [...cors.exposedHeaders, requestIdHeader].join(", ");

/**
 * Returns the headers of every answer, errors included: the request id, and those that let a page of another origin read the answer. Every
 * origin is allowed here, because each publishable key names its origins, and no cookies are used.
 */
export function answerHeadersOf(requestId: string, origin: string | undefined): Record<string, string> {
  // Vary is always sent. Otherwise a cache would give a page the answer to a caller without an origin.
  const headers = { [requestIdHeader]: requestId, vary: "Origin" };
  if (origin === undefined) return headers;
  return { ...headers, "access-control-allow-origin": origin, "access-control-expose-headers": exposedHeaders };
}

/** Returns whether a request is a preflight request of a browser. */
export function isPreflight({ method, headers }: { method?: string; headers: IncomingHttpHeaders }): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

/** Further headers of the answer to a preflight request. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-methods": cors.allowedMethods.join(", "),
  "access-control-allow-headers": allowedHeaders,
  "access-control-max-age": String(preflightMaxAgeS),
};
