import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/** How messages are written on the wire: binary Protobuf or JSON, both over the Connect protocol. */
export type FetchProtocol = "connect" | "connect-json";

/** Options of a transport over `fetch`. */
export interface FetchTransportOptions {
  baseUrl: string;
  interceptors: Interceptor[];
  protocol: FetchProtocol;
  /** Ends the calls in flight, and refuses later ones. */
  closed?: AbortSignal;
}

/** Makes a transport over the platform's `fetch`. The platform owns the connections. */
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

/** `fetch` rejects with a TypeError where no answer came. As UNAVAILABLE it is tried again; the request id makes that safe. */
async function fetchOrUnavailable(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ConnectError(`the gateway could not be reached: ${cause.message}`, Code.Unavailable, undefined, undefined, cause);
  }
}
