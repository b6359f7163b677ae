import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, durationMs } from "@bufbuild/protobuf/wkt";
import type { Interceptor, Transport } from "@connectrpc/connect";
import type { ClientOptions } from "./client-options.ts";
import { proveCall } from "./prove-calls.ts";
import { createRetryInterceptor } from "./retry.ts";

/** Makes the transport that carries calls to a gateway. The base URL was checked and ends without a slash. */
export type CreateCarrier = (carrier: { baseUrl: string; interceptors: Interceptor[] }) => Transport;

/**
 * Makes a transport that adds credentials, retries and timeouts to calls. Throws a TypeError if an option is invalid.
 *
 * @param isJson whether the underlying transport encodes messages as JSON
 * @param createCarrier makes the underlying transport, which implements network and wire format
 */
export function createClientTransport(options: ClientOptions, isJson: boolean, createCarrier: CreateCarrier): Transport {
  const { timeoutMs = 10_000, retry = {} } = options;
  const interceptors = [createAuthorizationInterceptor(options, isJson)];
  if (retry !== false) interceptors.unshift(createRetryInterceptor(retry));
  return withDefaultTimeout(createCarrier({ baseUrl: checkBaseUrl(options.baseUrl), interceptors }), timeoutMs);
}

function checkBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new TypeError(`baseUrl '${text}' must be an address that begins with http:// or https://`);
  }
  return url.href.replace(/\/+$/, "");
}

/** Each attempt of a call passes through it anew, so each has a proof of its own. */
function createAuthorizationInterceptor({ signer, publishableKey }: ClientOptions, isJson: boolean): Interceptor {
  if (signer !== undefined && publishableKey !== undefined) {
    throw new TypeError("set either signer or publishableKey, not both: a request carries only one of them");
  }
  return (next) => async (request) => {
    if (signer !== undefined) {
      request.header.set("authorization", await signer.authorization());
      if (!request.stream) await proveCall(request, signer, isJson);
    }
    if (publishableKey !== undefined) request.header.set("authorization", `Bearer ${publishableKey}`);
    return next(request);
  };
}

/** Sets the timeout of unary calls that have none. The transport's own default would also end streams. */
function withDefaultTimeout(transport: Transport, timeoutMs: number): Transport {
  return {
    unary(method, signal, ownTimeoutMs, header, input, contextValues) {
      return transport.unary(method, signal, ownTimeoutMs ?? timeoutMs + longPollMs(method, input), header, input, contextValues);
    },
    stream(method, signal, ownTimeoutMs, header, input, contextValues) {
      return transport.stream(method, signal, ownTimeoutMs, header, input, contextValues);
    },
  };
}

/**
 * The duration in a request's field `wait`, in ms; 0 if it has none. Found by the request's descriptor, so that a client of one service does not load the
 * messages of another.
 */
function longPollMs({ input: schema }: DescMethod, input: object): number {
  if (schema.field.wait?.message?.typeName !== DurationSchema.typeName) return 0;
  const { wait } = create(schema, input as MessageInitShape<typeof schema>) as Message & { wait?: Duration };
  return wait === undefined ? 0 : durationMs(wait);
}
