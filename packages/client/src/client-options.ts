import type { RequestSigner } from "./request-signer.ts";
import type { RetryOptions } from "./retry.ts";

/** How a client calls a gateway, whatever transport carries the calls. */
export interface ClientOptions {
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
  /** How calls are tried again, or false for not at all. Default {@link RetryOptions}' own. */
  retry?: RetryOptions | false;
}
