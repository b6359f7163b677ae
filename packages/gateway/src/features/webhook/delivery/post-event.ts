import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { TLSSocket } from "node:tls";
import { WebhookFailure } from "@petak/protocol";
import { parseRetryAfter } from "./backoff-schedule.ts";
import { addressIn, checkEndpointUrl, type ReachPolicy } from "./endpoint-url.ts";
import { mayReach } from "./networks.ts";
import type { ResolveHost } from "./resolve-host.ts";
import type { After } from "./timers.ts";

/** Result of one attempt. */
export interface Attempt {
  /** UNSPECIFIED: accepted, with a 2xx status. */
  failure: WebhookFailure;
  /** The HTTP status. 0: no response. */
  status: number;
  /** Delay that the endpoint requested with `Retry-After`, in ms. */
  retryAfterMs: number | undefined;
  /** Duration, in ms. */
  tookMs: number;
  /** Printable beginning of the response body, at most {@link excerptMaxChars}. */
  excerpt: string;
}

/** The request to send. */
export interface PostedEvent {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

export interface PostDependencies {
  policy: ReachPolicy;
  resolve: ResolveHost;
  now: () => number;
  after: After;
  /** Additional trusted certificates in PEM. */
  trustedCertificates?: string;
}

/** Options of one attempt. */
export interface PostOptions {
  /** Longest duration, in ms. */
  timeoutMs: number;
  /** Aborts the attempt, which rejects with the signal's reason. */
  signal: AbortSignal;
}

/** Makes one attempt. Rejects only if the signal aborts. */
export type PostEvent = (event: PostedEvent, options: PostOptions) => Promise<Attempt>;

/** How much of a response body is read, and how much of that is shown to the owner. */
const readMaxBytes = 1024;
const excerptMaxChars = 200;

/** How long to wait for the response body, in ms. Only the status matters. */
const bodyTimeoutMs = 1000;

/** Largest response head, in bytes. */
const headMaxBytes = 8192;

/** Ends an attempt with a specific failure. */
class AttemptError extends Error {
  override readonly name = "AttemptError";
  readonly failure: WebhookFailure;

  constructor(failure: WebhookFailure) {
    super(`the attempt failed for reason ${failure}`);
    this.failure = failure;
  }
}

/**
 * Creates the sender. Each attempt is one POST over a new connection to the addresses that were checked, so that a host name that resolves differently
 * after the check has no effect. Redirects are not followed, and proxies are not used.
 */
export function createPostEvent({ policy, resolve, now, after, trustedCertificates }: PostDependencies): PostEvent {
  async function addressesOf(url: URL, signal: AbortSignal): Promise<string[]> {
    const own = addressIn(url);
    const addresses = own === undefined ? await resolve(url.hostname, signal) : [own];
    signal.throwIfAborted();
    if (addresses.length === 0) throw new AttemptError(WebhookFailure.NAME_NOT_RESOLVED);
    // A name with both public and internal addresses is an attack.
    if (!addresses.every((address) => mayReach(address, policy.allowedNetworks))) throw new AttemptError(WebhookFailure.ADDRESS_REFUSED);
    return addresses;
  }

  async function post({ url: text, headers, body }: PostedEvent, signal: AbortSignal) {
    // The configuration may have become stricter since the endpoint was created.
    const url = checkEndpointUrl(text, policy);
    if (typeof url === "string") throw new AttemptError(WebhookFailure.ADDRESS_REFUSED);
    const lookup = lookupOf(await addressesOf(url, signal));
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
      method: "POST",
      headers: { ...headers, "content-length": body.length, "user-agent": "petak-webhooks/1" },
      agent: false,
      lookup,
      maxHeaderSize: headMaxBytes,
      signal,
      ...(trustedCertificates === undefined ? {} : { ca: trustedCertificates }),
    });
    const response = await responseTo(request, body);
    const excerpt = await excerptOf(response, after);
    response.destroy();
    return { response, excerpt };
  }

  return async (event, { timeoutMs, signal }) => {
    const beganMs = now();
    const timeout = new AbortController();
    const cancel = after(timeoutMs, () => timeout.abort(new AttemptError(WebhookFailure.TIMED_OUT)));
    const either = AbortSignal.any([signal, timeout.signal]);
    const outcome = (failure: WebhookFailure, rest: Partial<Attempt> = {}): Attempt => ({
      failure,
      status: 0,
      retryAfterMs: undefined,
      excerpt: "",
      ...rest,
      tookMs: now() - beganMs,
    });
    try {
      const { response, excerpt } = await post(event, either);
      const { statusCode: status = 0, headers } = response;
      return outcome(failureOfStatus(status), { status, excerpt, retryAfterMs: parseRetryAfter(headers["retry-after"], now()) });
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.signal.aborted) return outcome(WebhookFailure.TIMED_OUT);
      return outcome(error instanceof AttemptError ? error.failure : WebhookFailure.CONNECTION_FAILED);
    } finally {
      cancel();
    }
  };
}

/** A look-up that returns the checked addresses for any host name. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? "", all[0]?.family);
  };
}

/** Sends the body and resolves with the response, whose body is not read yet. */
function responseTo(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isHandshaking = false;
    request.on("socket", (socket) => {
      socket.on("connect", () => {
        isHandshaking = "authorized" in (socket as Partial<TLSSocket>);
      });
      socket.on("secureConnect", () => {
        isHandshaking = false;
      });
    });
    request.on("response", resolve);
    // The request asks for no upgrade.
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new AttemptError(WebhookFailure.RESPONSE_MALFORMED));
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (isHandshaking) reject(new AttemptError(WebhookFailure.TLS_FAILED));
      else reject(error.code?.startsWith("HPE_") ? new AttemptError(WebhookFailure.RESPONSE_MALFORMED) : error);
    });
    request.end(body);
  });
}

/** Reads the beginning of a body as printable text. A body that breaks off or does not end is cut there. */
function excerptOf(response: IncomingMessage, after: After): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = () => {
      cancel();
      const text = Buffer.concat(chunks).subarray(0, readMaxBytes).toString("utf8");
      resolve([...text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, " ").trim()].slice(0, excerptMaxChars).join(""));
    };
    const cancel = after(bodyTimeoutMs, end);
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= readMaxBytes) end();
    });
    response.on("end", end);
    response.on("error", end);
    response.on("close", end);
  });
}

function failureOfStatus(status: number): WebhookFailure {
  if (status >= 200 && status < 300) return WebhookFailure.UNSPECIFIED;
  if (status >= 300 && status < 400) return WebhookFailure.REDIRECTED;
  if (status === 410) return WebhookFailure.GONE;
  return status >= 400 && status < 500 ? WebhookFailure.CLIENT_ERROR : WebhookFailure.SERVER_ERROR;
}
