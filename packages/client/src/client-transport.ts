import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, durationMs } from "@bufbuild/protobuf/wkt";
import type { Interceptor, Transport } from "@connectrpc/connect";
import type { ClientOptions } from "./client-options.ts";
import { createRetryInterceptor } from "./retry.ts";

/** Makes the transport that carries calls to a gateway. The base URL was checked and ends without a slash. */
export type CreateCarrier = (carrier: { baseUrl: string; interceptors: Interceptor[] }) => Transport;

/**
 * Makes a transport that adds credentials, retries and time-outs to the calls it is given. Throws a TypeError where an option is wrong.
 *
 * @param createCarrier makes the transport underneath, which knows the network and the wire format
 */
export function createClientTransport(options: ClientOptions, createCarrier: CreateCarrier): Transport {
  const { timeoutMs = 10_000, retry = {} } = options;
  const interceptors = [createAuthorizationInterceptor(options)];
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

function createAuthorizationInterceptor({ signer, publishableKey }: ClientOptions): Interceptor {
  if (signer !== undefined && publishableKey !== undefined) {
    throw new TypeError("give signer or publishableKey, not both: a request carries one of them");
  }
  return (next) => async (request) => {
    if (signer !== undefined) request.header.set("authorization", await signer.authorization());
    if (publishableKey !== undefined) request.header.set("authorization", `Bearer ${publishableKey}`);
    return next(request);
  };
}

/** Gives unary calls a time-out where the call has none. The transport's own default would end streams as well. */
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
 * How long a request asks the gateway to wait, in ms: its field `wait`, a duration. Found by the descriptor of the method's request, so that a client of
 * one service does not load the messages of another.
 */
function longPollMs({ input: schema }: DescMethod, input: object): number {
  if (schema.field.wait?.message?.typeName !== DurationSchema.typeName) return 0;
  const { wait } = create(schema, input as MessageInitShape<typeof schema>) as Message & { wait?: Duration };
  return wait === undefined ? 0 : durationMs(wait);
}
