import { create, type DescMethod } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  AgentService,
  CustodyService,
  DirectoryService,
  ListEventsRequestSchema,
  ParticipantService,
  ReservationService,
  WebhookService,
} from "@petak/protocol";
import type { RequestSigner } from "./request-signer.ts";
import { createRetryInterceptor, type RetryOptions } from "./retry.ts";
import { withSignedReports } from "./signed-reports.ts";
import { createTransport, type TlsOptions, type WireProtocol } from "./transport.ts";

/** What a client needs. */
export interface PetakClientOptions {
  /** The gateway's address, `http://…` or `https://…`. */
  baseUrl: string;
  /** Signs every request. Not together with `publishableKey`. Without either, requests carry no credentials. */
  signer?: RequestSigner;
  /** The key of a web page, for reading the directory. */
  publishableKey?: string;
  /**
   * How long a unary call may take, all attempts together, in ms. Default 10 s: longer than any call takes, shorter than a person waits.
   * A long poll's `wait` is added to it. Streams have no end of their own. A call's own `timeoutMs` goes before it.
   */
  timeoutMs?: number;
  /** Default `connect`: binary Connect over HTTP/1.1, the least work for the gateway that passes every proxy. */
  protocol?: WireProtocol;
  /** For gateways whose certificate the system does not trust by itself. */
  tls?: TlsOptions;
  /** How calls are tried again, or false for not at all. Default {@link RetryOptions}' own. */
  retry?: RetryOptions | false;
}

/** The services of a gateway. Calls throw ConnectError; `reasonOf` reads its reason. */
export interface PetakClient {
  readonly directory: Client<typeof DirectoryService>;
  readonly reservations: Client<typeof ReservationService>;
  readonly custody: Client<typeof CustodyService>;
  /** With a signer it signs the reports that are not signed yet. */
  readonly agents: Client<typeof AgentService>;
  readonly participants: Client<typeof ParticipantService>;
  readonly webhooks: Client<typeof WebhookService>;
  /** Ends the connections, and with them what is still in flight. */
  close(): void;
}

/** Makes a client. No connection is opened before the first call. Throws a TypeError where an option is wrong. */
export function createPetakClient(options: PetakClientOptions): PetakClient {
  const { timeoutMs = 10_000, protocol = "connect", retry = {} } = options;
  const interceptors = [createAuthorizationInterceptor(options)];
  if (retry !== false) interceptors.unshift(createRetryInterceptor(retry));
  const { transport, close } = createTransport({ baseUrl: checkBaseUrl(options.baseUrl), protocol, tls: options.tls, interceptors });
  const limited = withDefaultTimeout(transport, timeoutMs);
  const agents = createClient(AgentService, limited);
  return {
    directory: createClient(DirectoryService, limited),
    reservations: createClient(ReservationService, limited),
    custody: createClient(CustodyService, limited),
    agents: options.signer === undefined ? agents : withSignedReports(agents, options.signer),
    participants: createClient(ParticipantService, limited),
    webhooks: createClient(WebhookService, limited),
    close,
  };
}

function checkBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new TypeError(`baseUrl '${text}' must be an address that begins with http:// or https://`);
  }
  return url.href.replace(/\/+$/, "");
}

function createAuthorizationInterceptor(options: PetakClientOptions): Interceptor {
  const { signer, publishableKey } = options;
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

/** How long a request asks the gateway to wait, in ms. */
function longPollMs(method: DescMethod, input: object): number {
  if (method !== CustodyService.method.listEvents) return 0;
  const { wait } = create(ListEventsRequestSchema, input);
  return wait === undefined ? 0 : durationMs(wait);
}
