import type { IncomingHttpHeaders } from "node:http";

/** The parts of a request that name its host and its caller. */
export interface RequestNames {
  readonly headers: IncomingHttpHeaders;
  /** Names and values by turns, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** The request target. Undefined: it is a path. */
  readonly url?: string | undefined;
}

/**
 * Returns what a request names twice, for its refusal, or undefined. A proxy may have decided by the one that the gateway ignores:
 *
 * - the host: several `Host` headers or several names in one; a `host` that differs from `:authority` over HTTP/2, or from a request target
 *   that is a whole URL (RFC 9112 section 3.2, RFC 9113 section 8.3.1);
 * - the caller: several `Authorization` headers.
 */
export function namedTwice({ headers, rawHeaders, url = "/" }: RequestNames): "host" | "Authorization header" | undefined {
  const { host, ":authority": authority } = headers;
  if (typeof authority === "string" && host !== undefined && !isSame(host, authority)) return "host";
  const target = url.startsWith("/") ? undefined : /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  const named = authority ?? host;
  if (target !== undefined && (typeof named !== "string" || !isSame(target, named))) return "host";
  if (host !== undefined && (host.includes(",") || isRepeated(rawHeaders, "host"))) return "host";
  return isRepeated(rawHeaders, "authorization") ? "Authorization header" : undefined;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether a header, named in lower case, was sent more than once. */
function isRepeated(rawHeaders: readonly string[], wanted: string): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === wanted.length && name.toLowerCase() === wanted) count += 1;
  }
  return count > 1;
}
