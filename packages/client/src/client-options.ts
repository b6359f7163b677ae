import type { RequestSigner } from "./request-signer.ts";
import type { RetryOptions } from "./retry.ts";

/** Options of a client, independent of its transport. */
export interface ClientOptions {
  /** The gateway's address, `http://…` or `https://…`. */
  baseUrl: string;
  /** Signs every request. Mutually exclusive with `publishableKey`. Without either, requests have no credentials. */
  signer?: RequestSigner;
  /** A publishable key, with which a web page reads the directory. */
  publishableKey?: string;
  /**
   * Timeout of a unary call including retries, in ms. Default 10,000: longer than any call takes, shorter than a person waits. A long poll's `wait` is added. A
   * call's own `timeoutMs` takes precedence. Streams have no timeout.
   */
  timeoutMs?: number;
  /** How calls are retried; false: not at all. Default: the defaults of {@link RetryOptions}. */
  retry?: RetryOptions | false;
}
