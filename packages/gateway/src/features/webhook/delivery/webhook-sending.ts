import type { ParticipantFeeds, Records, WebhookStore } from "@petak/records";
import type { LogFailure, Logger, Metrics, Tracing } from "../../../observability/index.ts";
import type { FeedReader } from "../../feed/feed-reader.ts";
import { outcomeOf } from "./attempt-outcome.ts";
import { type CloudEventWriter, createCloudEventWriter } from "./cloud-event.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";
import type { ReachPolicy } from "./endpoint-url.ts";
import { createPostEvent } from "./post-event.ts";
import { createDnsResolver, type ResolveHost } from "./resolve-host.ts";
import { createSignAndPost, type SignAndPost } from "./sign-and-post.ts";
import { createSlots } from "./slots.ts";
import { type After, afterByTimer } from "./timers.ts";

/** Settings of webhook delivery. */
export interface WebhookOptions extends Partial<ReachPolicy> {
  /** Most concurrent attempts, over all endpoints. Default 256. */
  concurrency?: number;
  /** See {@link DispatcherOptions}. */
  leaseMs?: number;
  /** Resolves host names. Default: queries the system's name servers. */
  resolve?: ResolveHost;
  /** Additional trusted certificates in PEM. */
  trustedCertificates?: string;
  /** Timers. Default: Node's. */
  after?: After;
  /** Returns a number in [0, 1), for the jitter of retries. Default `Math.random`. */
  random?: () => number;
}

export interface WebhookSendingOptions extends WebhookOptions {
  records: Pick<Records, "deliveries" | "events">;
  store: WebhookStore;
  reader: FeedReader;
  feeds: ParticipantFeeds;
  derivationKey: Uint8Array;
  audience: string;
  now: () => number;
  logger: Logger;
  logFailure: LogFailure;
  metrics: Metrics;
  tracing?: Tracing | undefined;
}

/** The parts of webhook delivery. */
export interface WebhookSending {
  readonly store: WebhookStore;
  readonly reader: FeedReader;
  readonly writer: CloudEventWriter;
  readonly signAndPost: SignAndPost;
  readonly policy: ReachPolicy;
  /** Forwards to the dispatcher, once it has started. */
  readonly dispatcher: Pick<Dispatcher, "wake">;
  /** Starts delivering. */
  start(): Dispatcher;
}

const concurrencyDefault = 256;

/** Creates the parts. */
export function createWebhookSending(options: WebhookSendingOptions): WebhookSending {
  const {
    records: { deliveries, events },
    store,
    reader,
    now,
    metrics,
    after = afterByTimer,
    resolve = createDnsResolver(),
    random = Math.random,
    trustedCertificates,
  } = options;
  const policy: ReachPolicy = { allowedNetworks: options.allowedNetworks ?? [], allowHttp: options.allowHttp ?? false };
  const writer = createCloudEventWriter(options.audience);
  const post = createPostEvent({
    policy,
    resolve,
    now,
    after,
    ...(trustedCertificates === undefined ? {} : { trustedCertificates }),
  });
  const signAndPost = createSignAndPost({ post, derivationKey: options.derivationKey, now, tracing: options.tracing });
  let dispatcher: Dispatcher | undefined;
  return {
    store,
    reader,
    writer,
    signAndPost,
    policy,
    dispatcher: { wake: (endpointId) => dispatcher?.wake(endpointId) },
    start() {
      dispatcher = startDispatcher({
        ...options,
        deliveries,
        events,
        writer,
        signAndPost,
        slots: createSlots(options.concurrency ?? concurrencyDefault),
        after,
        random,
        onAttempt: (attempt) => metrics.webhookAttempts.inc({ outcome: outcomeOf(attempt) }),
      });
      return dispatcher;
    },
  };
}
