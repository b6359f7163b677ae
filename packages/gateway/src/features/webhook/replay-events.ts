import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  EventRangeSchema,
  invalidField,
  PetakError,
  type ReplayEventsRequest,
  ReplayEventsRequestSchema,
  type ReplayEventsResponse,
  ReplayEventsResponseSchema,
} from "@petak/protocol";
import type { DeliveryStore, RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeCursor, type FeedCursor, rangeCursor } from "../feed/feed-cursor.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { once } from "../idempotency/once.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import { replayAt } from "./delivery/replay.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface ReplayEventsDependencies extends ViewDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  deliveries: ViewDependencies["deliveries"] & Pick<DeliveryStore, "addReplay">;
  reader: Pick<FeedReader, "bringUpToDate">;
  dispatcher: Pick<Dispatcher, "wake">;
  requestIds: RequestIds;
}

/** Most open replays of one endpoint. They are delivered one after another. */
const replaysMax = 5;

const schemas = { request: ReplayEventsRequestSchema, response: ReplayEventsResponseSchema };

/** Starts to deliver the events of a range again, by default up to now. New events are delivered meanwhile. */
export async function replayEvents(
  dependencies: ReplayEventsDependencies,
  request: ReplayEventsRequest,
  caller: ParticipantCaller,
): Promise<ReplayEventsResponse> {
  const { storeCode, store, deliveries, reader, dispatcher, requestIds, now } = dependencies;
  const { endpointId } = await findOwnEndpoint(store, request.endpointId, caller);
  const cursor = startOf(request, caller, now());
  return await once(requestIds, caller, schemas, request, async () => {
    const replay = replayAt(derivedId(storeCode, caller, request, 16), cursor);
    await reader.bringUpToDate(caller);
    if (!(await deliveries.addReplay(endpointId, replay, replaysMax))) throw replaysExhausted(endpointId);
    dispatcher.wake(endpointId);
    return create(ReplayEventsResponseSchema, { endpoint: await viewNow(dependencies, endpointId, caller) });
  });
}

function startOf(request: ReplayEventsRequest, caller: ParticipantCaller, nowMs: number): FeedCursor {
  const { cursor, fromNumber, toNumber, from, to = timestampFromMs(nowMs) } = request;
  if (cursor !== "" && fromNumber > 0n) {
    throw invalidField("from_number", "must not be set together with cursor", "replay_events.one_beginning");
  }
  const range = create(EventRangeSchema, { fromNumber, toNumber, to, ...(from === undefined ? {} : { from }) });
  const start = rangeCursor(range, "");
  return cursor === "" ? start : { ...start, number: decodeCursor(caller, cursor).number };
}

function replaysExhausted(endpointId: string): PetakError {
  return new PetakError(
    "WEBHOOK_REPLAYS_EXHAUSTED",
    `'${endpointId}' has ${replaysMax} open replays, its limit; wait until one has finished`,
    { metadata: { limit: String(replaysMax), subject: endpointId } },
  );
}
