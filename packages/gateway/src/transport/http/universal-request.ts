import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { NodeServerRequest } from "./node-http.ts";

/** A request as the library's handlers take it, and the way to tell them that the caller has gone. */
export interface AbortableRequest {
  request: Omit<UniversalServerRequest, "body">;
  /** Aborts the call. Not to be called for one that has been answered: making the reason is among the dearest parts of a call. */
  abort(): void;
}

/**
 * Handlers read the query of the address and nothing else of it. A fixed origin in place of the Host header keeps whatever a caller writes
 * there out of the address.
 */
export const fixedOrigin = "http://petak.invalid";

/** Makes a request for the library's handlers. Throws a TypeError where the target is no part of an address. */
export function universalRequest(request: NodeServerRequest, contextValues: ContextValues): AbortableRequest {
  const controller = new AbortController();
  const url = request.url ?? "/";
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

/** The headers of a request as an object of the fetch standard, without the pseudo-headers of HTTP/2. */
export function headersOf(request: Pick<NodeServerRequest, "headers">): Headers {
  const header = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    if (Array.isArray(value)) for (const one of value) header.append(name, one);
    else header.append(name, value);
  }
  return header;
}
