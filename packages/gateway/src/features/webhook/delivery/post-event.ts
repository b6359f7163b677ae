import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { TLSSocket } from "node:tls";
import { WebhookFailure } from "@petak/protocol";
import { addressIn, checkEndpointUrl, type ReachPolicy } from "./endpoint-url.ts";
import { mayReach } from "./networks.ts";
import type { ResolveHost } from "./resolve-host.ts";
import { parseRetryAfter } from "./retry-ladder.ts";
import type { After } from "./timers.ts";

/** What came of one attempt. */
export interface Attempt {
  /** UNSPECIFIED: it was taken, with a status that begins with 2. */
  failure: WebhookFailure;
  /** The HTTP status; 0 where there was no answer. */
  status: number;
  /** What the endpoint asks for with `Retry-After`, in ms. */
  retryAfterMs: number | undefined;
  /** How long it took, in ms. */
  tookMs: number;
  /** The beginning of the answer's body, printable: at most {@link excerptMaxChars}. */
  excerpt: string;
}

/** What is sent. */
export interface PostedEvent {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** What sending needs. */
export interface PostDependencies {
  policy: ReachPolicy;
  resolve: ResolveHost;
  now: () => number;
  after: After;
  /** Certificates in PEM that are trusted beside the system's. */
  trustedCertificates?: string;
}

/** How one attempt is made. */
export interface PostOptions {
  /** How long it may take in all, in ms. */
  timeoutMs: number;
  /** Ends it early, with the signal's reason. */
  signal: AbortSignal;
}

/** Sends one event once. Rejects only where the signal aborts. */
export type PostEvent = (event: PostedEvent, options: PostOptions) => Promise<Attempt>;

/** How much of an answer's body is read, and how much of that is shown. What it says is the endpoint's business. */
const readMaxBytes = 1024;
const excerptMaxChars = 200;

/** How long the body of an answer is waited for, in ms: its status has said all that matters. */
const bodyTimeoutMs = 1000;

/** The greatest head of an answer that is read, in bytes. */
const headMaxBytes = 8192;

/** An attempt ended with a reason of its own. */
class AttemptError extends Error {
  override readonly name = "AttemptError";
  readonly failure: WebhookFailure;

  constructor(failure: WebhookFailure) {
    super(`the attempt failed for reason ${failure}`);
    this.failure = failure;
  }
}

/**
 * Makes what sends events: one POST over a connection of its own, to the very addresses that were looked at, so that a name that changes its
 * mind between the look and the connection leads nowhere. No redirect is followed and no proxy asked.
 */
export function createPostEvent({ policy, resolve, now, after, trustedCertificates }: PostDependencies): PostEvent {
  async function addressesOf(url: URL, signal: AbortSignal): Promise<string[]> {
    const own = addressIn(url);
    const addresses = own === undefined ? await resolve(url.hostname, signal) : [own];
    signal.throwIfAborted();
    if (addresses.length === 0) throw new AttemptError(WebhookFailure.NAME_NOT_RESOLVED);
    // One that leads both outside and inside is made to deceive.
    if (!addresses.every((address) => mayReach(address, policy.allowedNetworks))) throw new AttemptError(WebhookFailure.ADDRESS_REFUSED);
    return addresses;
  }

  async function post({ url: text, headers, body }: PostedEvent, signal: AbortSignal) {
    // The configuration may have become stricter since the endpoint was made.
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
    const response = await answerTo(request, body);
    const excerpt = await beginningOf(response, after);
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

/** Gives a connection the addresses that were looked at, whatever it asks for. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? "", all[0]?.family);
  };
}

/** The head of the answer. */
function answerTo(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
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
    // A protocol that nobody asked for.
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

/** The beginning of a body as text for people. A body that breaks off, or does not end, has said enough. */
function beginningOf(response: IncomingMessage, after: After): Promise<string> {
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
