import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  CreateEndpointRequestSchema,
  CreateEndpointResponseSchema,
  DeleteEndpointRequestSchema,
  DeleteEndpointResponseSchema,
  type Event,
  EventRangeSchema,
  invalidField,
  PetakError,
  type ReplayEventsRequest,
  ReplayEventsRequestSchema,
  ReplayEventsResponseSchema,
  RotateEndpointKeyRequestSchema,
  RotateEndpointKeyResponseSchema,
  TestEndpointRequestSchema,
  TestEndpointResponseSchema,
  UpdateEndpointRequestSchema,
  UpdateEndpointResponseSchema,
  type WebhookEndpoint,
  WebhookFailure,
  type WebhookService,
} from "@petak/protocol";
import type { Allocator, StoredWebhook, WebhookStore } from "@petak/records";
import { type ParticipantCaller, requireParticipant } from "../../identity/index.ts";
import { deriveWebhookKey } from "../../secrets/webhook-keys.ts";
import { decodeCursor, encodeCursor, type FeedCursor, rangeCursor } from "../event-pages/feed-cursor.ts";
import type { FeedReader } from "../event-pages/feed-reader.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { createRememberedAnswers } from "../idempotency/once.ts";
import { createCallerShares } from "../limits/caller-shares.ts";
import type { CloudEventWriter } from "./delivery/cloud-event.ts";
import { cursorIn } from "./delivery/delivery-cursor.ts";
import { fieldsOfFailing, healthIn } from "./delivery/delivery-health.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import { checkEndpointUrl, type ReachPolicy } from "./delivery/endpoint-url.ts";
import { replayAt } from "./delivery/replay.ts";
import type { SignAndPost } from "./delivery/sign-and-post.ts";
import { webhookView } from "./endpoint-view.ts";

/** What the webhooks' service needs. */
export interface WebhookDependencies {
  allocator: Allocator;
  store: WebhookStore;
  reader: FeedReader;
  dispatcher: Pick<Dispatcher, "wake">;
  signAndPost: SignAndPost;
  writer: CloudEventWriter;
  policy: ReachPolicy;
  /** Endpoints' keys follow from it. */
  derivationKey: Uint8Array;
  now: () => number;
}

/** Endpoints of one participant in each network: one for each of its systems, and no list that grows by itself. */
const endpointsMax = 20;

/** Replays of one endpoint under way at once. They are read one after another. */
const replaysMax = 5;

/** How long an old key still signs where nobody says, in ms: a day on which somebody can deploy. */
const overlapDefaultMs = 24 * 3_600_000;

/** Calls of TestEndpoint under way at once, of one participant and of all: each holds a place of unary calls for as long as an endpoint likes. */
const testsPerCaller = 2;
const testsMax = 64;

/** Pages of the record that are looked through for the oldest event that was not tried. */
const lagPagesMax = 10;

/** When one who tests too much may come again, in ms. */
const testRetryAfterMs = 5000;

/** How long a test may take at most, in ms, and what is left of its call's deadline for the answer. */
const testTimeoutMs = 15_000;
const answerMs = 500;

/** Where participants want to be told of their events. */
export function createWebhookService(dependencies: WebhookDependencies): ServiceImpl<typeof WebhookService> {
  const { allocator, store, reader, dispatcher, signAndPost, writer, policy, derivationKey, now } = dependencies;
  const { deliveries } = allocator;
  const answers = createRememberedAnswers(allocator.requestIds);
  const tests = createCallerShares({ perCaller: testsPerCaller, total: testsMax });
  const publicKey = (endpointId: string, number: number) => deriveWebhookKey(derivationKey, endpointId, number).publicKey;

  /** An endpoint of the caller's in its network. What is another's looks as if it did not exist. */
  async function own(endpointId: string, { participantId, mode }: ParticipantCaller): Promise<StoredWebhook> {
    const endpoint = await store.find(endpointId);
    if (endpoint === undefined || endpoint.participantId !== participantId || endpoint.mode !== mode) throw endpointNotFound(endpointId);
    return endpoint;
  }

  async function view(endpoint: StoredWebhook, lagMs?: number): Promise<WebhookEndpoint> {
    const { endpointId } = endpoint;
    const [fields, pending, replays] = await Promise.all([
      deliveries.fields(endpointId),
      deliveries.pending(endpointId),
      deliveries.replays(endpointId),
    ]);
    const known = { health: healthIn(fields), pending, openReplays: replays.length, ...(lagMs === undefined ? {} : { lagMs }) };
    return webhookView(endpoint, known, { nowMs: now(), publicKey });
  }

  async function viewNow(endpointId: string, caller: ParticipantCaller): Promise<WebhookEndpoint> {
    return await view(await own(endpointId, caller));
  }

  /**
   * How long the oldest event that was not tried has waited, in ms. Of a feed in which nothing that the endpoint wants is found for a while, it is
   * told how old that place in the feed is, rather than reading all of it.
   */
  async function lagOf({ endpointId, eventTypes }: StoredWebhook, caller: ParticipantCaller): Promise<number> {
    let place: FeedCursor = cursorIn(caller, healthIn(await deliveries.fields(endpointId)));
    await reader.bringUpToDate(caller);
    for (let pages = 1; ; pages++) {
      const page = await reader.readAfter(caller, place, 100);
      const isWanted = ({ webhookEndpointId, type }: Event) =>
        webhookEndpointId !== endpointId && (eventTypes.length === 0 || eventTypes.includes(type));
      const oldest = page.events.find(isWanted) ?? (pages === lagPagesMax ? page.events.at(-1) : undefined);
      if (oldest?.recordedAt !== undefined) return Math.max(0, now() - timestampMs(oldest.recordedAt));
      if (!page.hasMore) return 0;
      place = page.cursor;
    }
  }

  return {
    async createEndpoint(request, context) {
      const caller = requireParticipant(context);
      const { participantId, mode } = caller;
      checkUrl(request.url, policy);
      const start = request.cursor === "" ? undefined : decodeCursor(caller, request.cursor);
      const schemas = { request: CreateEndpointRequestSchema, answer: CreateEndpointResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        const endpointId = `whe_${mode}_${derivedId(participantId, request.requestId, 16)}`;
        // Where it begins goes first: whoever finds the endpoint delivers.
        const { range: _, ...place } = start ?? (await reader.end(caller));
        await deliveries.begin(endpointId, { cursor: encodeCursor(caller, place) });
        const endpoint = {
          endpointId,
          participantId,
          mode,
          createdMs: now(),
          url: request.url,
          eventTypes: request.filter?.eventTypes ?? [],
          label: request.label,
          isPaused: false,
          keys: [{ number: 1, createdMs: now(), overlapMs: 0, requestId: request.requestId }],
        };
        if (!(await store.add(endpoint, endpointsMax))) {
          await deliveries.remove(endpointId);
          throw endpointsExhausted(caller);
        }
        dispatcher.wake(endpointId);
        return create(CreateEndpointResponseSchema, { endpoint: await viewNow(endpointId, caller) });
      });
    },

    async listEndpoints(_request, context) {
      const { participantId, mode } = requireParticipant(context);
      const endpoints = await store.listOf(participantId, mode);
      return { endpoints: await Promise.all(endpoints.map((endpoint) => view(endpoint))) };
    },

    async getEndpoint(request, context) {
      const caller = requireParticipant(context);
      const endpoint = await own(request.endpointId, caller);
      return { endpoint: await view(endpoint, await lagOf(endpoint, caller)) };
    },

    async updateEndpoint(request, context) {
      const caller = requireParticipant(context);
      const { endpointId } = await own(request.endpointId, caller);
      if (request.url !== undefined) checkUrl(request.url, policy);
      const schemas = { request: UpdateEndpointRequestSchema, answer: UpdateEndpointResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        await store.change(endpointId, {
          ...(request.url === undefined ? {} : { url: request.url }),
          ...(request.filter === undefined ? {} : { eventTypes: request.filter.eventTypes }),
          ...(request.label === undefined ? {} : { label: request.label }),
          ...(request.paused === undefined ? {} : { isPaused: request.paused }),
        });
        if (request.paused === false) {
          // Its owner says that it works: what failed is tried again at once, and failures count anew.
          await deliveries.clear(endpointId, fieldsOfFailing);
          await deliveries.bringForward(endpointId, now());
        }
        dispatcher.wake(endpointId);
        return create(UpdateEndpointResponseSchema, { endpoint: await viewNow(endpointId, caller) });
      });
    },

    async rotateEndpointKey(request, context) {
      const caller = requireParticipant(context);
      const { endpointId } = await own(request.endpointId, caller);
      const overlapMs = request.overlap === undefined ? overlapDefaultMs : durationMs(request.overlap);
      const schemas = { request: RotateEndpointKeyRequestSchema, answer: RotateEndpointKeyResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        await store.addKey(endpointId, { createdMs: now(), overlapMs, requestId: request.requestId });
        return create(RotateEndpointKeyResponseSchema, { endpoint: await viewNow(endpointId, caller) });
      });
    },

    async testEndpoint(request, context) {
      const caller = requireParticipant(context);
      const endpoint = await own(request.endpointId, caller);
      const schemas = { request: TestEndpointRequestSchema, answer: TestEndpointResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        const giveBack = tests.take(caller.participantId);
        if (giveBack === undefined) throw tooManyTests(caller);
        try {
          const id = `evt_test_${derivedId(caller.participantId, request.requestId, 16)}`;
          const body = writer.test(id, endpoint.endpointId, endpoint.mode === "test", now());
          const timeoutMs = Math.max(1, Math.min(testTimeoutMs, (context.timeoutMs() ?? testTimeoutMs) - answerMs));
          const attempt = await signAndPost(endpoint, { id, body }, { timeoutMs, signal: context.signal });
          const delivered = attempt.failure === WebhookFailure.UNSPECIFIED;
          if (delivered) await store.verify(endpoint.endpointId, endpoint.url, now());
          return create(TestEndpointResponseSchema, {
            eventId: id,
            delivered,
            failure: attempt.failure,
            status: attempt.status,
            duration: durationFromMs(attempt.tookMs),
            responseExcerpt: attempt.excerpt,
            endpoint: await viewNow(endpoint.endpointId, caller),
          });
        } finally {
          giveBack();
        }
      });
    },

    async replayEvents(request, context) {
      const caller = requireParticipant(context);
      const { endpointId } = await own(request.endpointId, caller);
      if (request.cursor !== "" && request.fromNumber > 0n) {
        throw invalidField("from_number", "must not be set together with cursor", "replay_events.one_beginning");
      }
      const asked = rangeCursor(create(EventRangeSchema, { ...rangeOf(request), to: request.to ?? timestampFromMs(now()) }), "");
      const cursor = request.cursor === "" ? asked : { ...asked, number: decodeCursor(caller, request.cursor).number };
      const schemas = { request: ReplayEventsRequestSchema, answer: ReplayEventsResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        const id = derivedId(caller.participantId, request.requestId, 16);
        const replay = replayAt(id, cursor);
        await reader.bringUpToDate(caller);
        if (!(await deliveries.addReplay(endpointId, replay, replaysMax))) throw replaysExhausted(endpointId);
        dispatcher.wake(endpointId);
        return create(ReplayEventsResponseSchema, { endpoint: await viewNow(endpointId, caller) });
      });
    },

    async deleteEndpoint(request, context) {
      const caller = requireParticipant(context);
      const schemas = { request: DeleteEndpointRequestSchema, answer: DeleteEndpointResponseSchema };
      return await answers.once(caller, schemas, request, async () => {
        const endpoint = await own(request.endpointId, caller);
        // Paused first: whoever finds it half removed sends nothing, and a repetition finds it.
        await store.change(endpoint.endpointId, { isPaused: true });
        await deliveries.remove(endpoint.endpointId);
        await store.remove(endpoint);
        dispatcher.wake(endpoint.endpointId);
        return create(DeleteEndpointResponseSchema);
      });
    },
  };
}

function rangeOf({ fromNumber, toNumber, from }: ReplayEventsRequest) {
  return { fromNumber, toNumber, ...(from === undefined ? {} : { from }) };
}

function checkUrl(url: string, policy: ReachPolicy): void {
  const checked = checkEndpointUrl(url, policy);
  if (typeof checked === "string") throw invalidField("url", checked, "webhook_endpoint.url");
}

function endpointNotFound(endpointId: string): PetakError {
  return new PetakError(
    "WEBHOOK_ENDPOINT_NOT_FOUND",
    `webhook endpoint ${JSON.stringify(endpointId)} does not exist, or the caller may not see it`,
    {
      metadata: { endpoint_id: endpointId },
    },
  );
}

function endpointsExhausted({ participantId, mode }: ParticipantCaller): PetakError {
  return new PetakError(
    "WEBHOOK_ENDPOINTS_EXHAUSTED",
    `'${participantId}' has ${endpointsMax} ${mode} webhook endpoints, its limit; delete one first`,
    {
      metadata: { limit: String(endpointsMax), subject: participantId },
    },
  );
}

function replaysExhausted(endpointId: string): PetakError {
  return new PetakError(
    "WEBHOOK_REPLAYS_EXHAUSTED",
    `'${endpointId}' has ${replaysMax} open replays, its limit; wait until one has finished`,
    {
      metadata: { limit: String(replaysMax), subject: endpointId },
    },
  );
}

function tooManyTests({ participantId }: ParticipantCaller): PetakError {
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${testsPerCaller} concurrent tests at this gateway, or all callers have ${testsMax}, which is the limit; try again in ${testRetryAfterMs} ms`,
    { retryAfterMs: testRetryAfterMs },
  );
}
