import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/** Encoding of messages over the Connect protocol: binary Protobuf or JSON. */
export type FetchProtocol = "connect" | "connect-json";

/** Options of a transport over `fetch`. */
export interface FetchTransportOptions {
  baseUrl: string;
  interceptors: Interceptor[];
  protocol: FetchProtocol;
  /** When aborted, calls in flight and later ones fail. */
  closed?: AbortSignal;
}

/** Makes a transport over the platform's `fetch`, which owns the connections. */
export function createFetchTransport({ baseUrl, interceptors, protocol, closed }: FetchTransportOptions): Transport {
  return createConnectTransport({
    baseUrl,
    interceptors,
    useBinaryFormat: protocol === "connect",
    fetch: (input, init) => fetchOrUnavailable(input, closed === undefined ? init : { ...init, signal: anyOf(init?.signal, closed) }),
  });
}

function anyOf(signal: AbortSignal | null | undefined, closed: AbortSignal): AbortSignal {
  return signal == null ? closed : AbortSignal.any([signal, closed]);
}

/** `fetch` rejects with a TypeError if there is no response. UNAVAILABLE in its place is retried, which `request_id` makes safe. */
async function fetchOrUnavailable(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ConnectError(`the gateway could not be reached: ${cause.message}`, Code.Unavailable, undefined, undefined, cause);
  }
}
