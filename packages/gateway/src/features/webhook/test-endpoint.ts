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
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { once } from "../idempotency/once.ts";
import type { CloudEventWriter } from "./delivery/cloud-event.ts";
import type { SignAndPost } from "./delivery/sign-and-post.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

/** What testing an endpoint takes. */
export interface TestEndpointDependencies extends ViewDependencies {
  /** The code of the store, by which ids are its own. */
  storeCode: string;
  store: Pick<WebhookStore, "find" | "verify">;
  writer: Pick<CloudEventWriter, "test">;
  signAndPost: SignAndPost;
  /** How many tests may run at once. */
  tests: CallerShares;
  requestIds: RequestIds;
}

/** What ends a test: the call's signal, and its deadline in ms from now if it has one. */
export interface TestEndpointCall {
  readonly signal: AbortSignal;
  timeoutMs(): number | undefined;
}

/** Tests that run at once, of one participant and of all: each holds a place of unary calls for as long as an endpoint likes. */
export const testShares = { perCaller: 2, total: 64 } as const;

/** Pause that a caller with too many tests is told, in ms. */
const testRetryAfterMs = 5000;

/** Longest test, in ms, and the part of the call's deadline that is left for the response. */
const testTimeoutMs = 15_000;
const responseMs = 500;

const schemas = { request: TestEndpointRequestSchema, response: TestEndpointResponseSchema };

/** Sends a test event, which stands in no feed, and gives what came of it. A delivered one verifies the endpoint's URL. */
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
      const attempt = await signAndPost(endpoint, { id, body }, { timeoutMs, signal: call.signal });
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
