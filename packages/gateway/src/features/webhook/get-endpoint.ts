import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, type GetEndpointRequest, type GetEndpointResponse, GetEndpointResponseSchema } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { FeedCursor } from "../feed/feed-cursor.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { cursorIn, healthIn } from "./delivery/delivery-health.ts";
import { type ViewDependencies, viewOf } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface GetEndpointDependencies extends ViewDependencies {
  reader: Pick<FeedReader, "bringUpToDate" | "readAfter">;
}

/** Pages of the feed that are searched for the oldest event that was not attempted yet. */
const lagPagesMax = 10;

/** Returns an endpoint of the caller with its health, including its lag. */
export async function getEndpoint(
  dependencies: GetEndpointDependencies,
  request: GetEndpointRequest,
  caller: ParticipantCaller,
): Promise<GetEndpointResponse> {
  const endpoint = await findOwnEndpoint(dependencies.store, request.endpointId, caller);
  const lagMs = await lagOf(dependencies, endpoint, caller);
  return create(GetEndpointResponseSchema, { endpoint: await viewOf(dependencies, endpoint, lagMs) });
}

/**
 * Age of the oldest event that was not attempted yet, in ms. If none of the first {@link lagPagesMax} pages has an event for the endpoint, the age of the
 * last event read, to avoid reading the whole feed.
 */
async function lagOf(
  { deliveries, reader, now }: GetEndpointDependencies,
  { endpointId, eventTypes }: StoredWebhook,
  caller: ParticipantCaller,
): Promise<number> {
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
