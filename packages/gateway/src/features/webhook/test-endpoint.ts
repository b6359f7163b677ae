import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  PetakError,
  type TestEndpointRequest,
  TestEndpointRequestSchema,
  type TestEndpointResponse,
  TestEndpointResponseSchema,
  WebhookFailure,
} from "@petak/protocol";
import type { RequestIds, WebhookStore } from "@petak/records";
import { currentTrace } from "@petak/redis";
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { once } from "../idempotency/once.ts";
import type { CloudEventWriter } from "./delivery/cloud-event.ts";
import type { SignAndPost } from "./delivery/sign-and-post.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface TestEndpointDependencies extends ViewDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  store: Pick<WebhookStore, "find" | "verify">;
  writer: Pick<CloudEventWriter, "test">;
  signAndPost: SignAndPost;
  /** Limits concurrent tests. */
  tests: CallerShares;
  requestIds: RequestIds;
}

/** The context of the call. */
export interface TestEndpointCall {
  readonly signal: AbortSignal;
  /** Time until the deadline, in ms. Undefined: no deadline. */
  timeoutMs(): number | undefined;
}

/** Most concurrent tests, for each participant and in total. A test counts as a unary call for as long as the endpoint takes. */
export const testShares = { perCaller: 2, total: 64 } as const;

/** Retry delay for a caller with too many tests, in ms. */
const testRetryAfterMs = 5000;

/** Longest test, and the part of the call's deadline that is reserved for the response, in ms. */
const testTimeoutMs = 15_000;
const responseMs = 500;

const schemas = { request: TestEndpointRequestSchema, response: TestEndpointResponseSchema };

/** Sends a test event, which is in no feed, and returns the result. A successful delivery verifies the endpoint's URL. */
export async function testEndpoint(
  dependencies: TestEndpointDependencies,
  request: TestEndpointRequest,
  caller: ParticipantCaller,
  call: TestEndpointCall,
): Promise<TestEndpointResponse> {
  const { storeCode, store, writer, signAndPost, tests, requestIds, now } = dependencies;
  const endpoint = await findOwnEndpoint(store, request.endpointId, caller);
  return await once(requestIds, caller, schemas, request, async () => {
    const giveBack = tests.take(caller.participantId);
    if (giveBack === undefined) throw tooManyTests(caller);
    try {
      const id = `evt_test_${derivedId(storeCode, caller, request, 16)}`;
      const body = writer.test(id, endpoint.endpointId, endpoint.mode === "test", now());
      const timeoutMs = Math.max(1, Math.min(testTimeoutMs, (call.timeoutMs() ?? testTimeoutMs) - responseMs));
      const attempt = await signAndPost(
        endpoint,
        { id, body, traceparent: currentTrace()?.traceparent },
        { timeoutMs, signal: call.signal },
      );
      const delivered = attempt.failure === WebhookFailure.UNSPECIFIED;
      if (delivered) await store.verify(endpoint.endpointId, endpoint.url, now());
      return create(TestEndpointResponseSchema, {
        eventId: id,
        delivered,
        failure: attempt.failure,
        status: attempt.status,
        duration: durationFromMs(attempt.tookMs),
        responseExcerpt: attempt.excerpt,
        endpoint: await viewNow(dependencies, endpoint.endpointId, caller),
      });
    } finally {
      giveBack();
    }
  });
}

function tooManyTests({ participantId }: ParticipantCaller): PetakError {
  const { perCaller, total } = testShares;
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${perCaller} concurrent tests at this gateway, or all callers have ${total}, which is the limit; try again in ${testRetryAfterMs} ms`,
    { retryAfterMs: testRetryAfterMs },
  );
}
