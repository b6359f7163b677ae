import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { NodeServerRequest } from "./node-http.ts";

/** A request in the form of the RPC library's handlers. */
export interface AbortableRequest {
  request: Omit<UniversalServerRequest, "body">;
  /** Aborts the call because the caller has gone. Do not use it for an answered call: creating the reason is expensive. */
  abort(): void;
}

/**
 * The origin of every request's URL. Handlers read nothing but the query of the URL; a fixed origin keeps the contents of the Host header
 * out of it.
 */
export const fixedOrigin = "http://petak.invalid";

/**
 * Converts a request into the form of the RPC library's handlers.
 *
 * @throws {TypeError} if the request target is neither a path nor a URL, or its query is not UTF-8 encoded with percent signs: both would be
 *   replaced by something similar when the query is read.
 */
export function universalRequest(request: NodeServerRequest, contextValues: ContextValues): AbortableRequest {
  const controller = new AbortController();
  const url = request.url ?? "/";
  if (!isPercentEncoded(url)) throw new TypeError("the query is not percent-encoded UTF-8");
  return {
    request: {
      httpVersion: request.httpVersion,
      method: request.method ?? "",
      url: url.startsWith("/") ? `${fixedOrigin}${url}` : new URL(url).href,
      header: headersOf(request),
      signal: controller.signal,
      contextValues,
    },
    abort: () => controller.abort(new ConnectError("the caller went away", Code.Canceled)),
  };
}

function isPercentEncoded(url: string): boolean {
  if (!/^[!-~]*$/.test(url)) return false;
  if (!url.includes("%")) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** Returns a request's headers as a `Headers` object, without the pseudo-headers of HTTP/2. */
export function headersOf(request: Pick<NodeServerRequest, "headers">): Headers {
  const header = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    if (Array.isArray(value)) for (const one of value) header.append(name, one);
    else header.append(name, value);
  }
  return header;
}
