import type { Event } from "@petak/protocol";
import type { DeliveryStore, EventStream, ParticipantFeeds, StoredWebhook, WebhookStore } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { Logger } from "../../../observability/index.ts";
import { encodeCursor } from "../../feed/feed-cursor.ts";
import { type FeedFollower, followFeed } from "../../feed/feed-follower.ts";
import type { FeedReader } from "../../feed/feed-reader.ts";
import type { CloudEventWriter } from "./cloud-event.ts";
import { deliveryOf, firstDelivery } from "./delivery.ts";
import { cursorIn, fieldsOfHealth, healthIn, isFailing, probeIntervalMs } from "./delivery-health.ts";
import { createEndpointAlarm } from "./endpoint-alarm.ts";
import { readReplay } from "./replay.ts";
import type { SendBatch } from "./send-batch.ts";
import { settleOutcomes } from "./settle-outcomes.ts";

export interface RoundDependencies {
  deliveries: DeliveryStore;
  events: Pick<EventStream, "appendOnce">;
  store: WebhookStore;
  reader: FeedReader;
  feeds: ParticipantFeeds;
  writer: CloudEventWriter;
  now: () => number;
  /** A number in [0, 1). */
  random: () => number;
  logger: Logger;
}

/** The pause after a round. */
export interface Rest {
  /** When the next round is due, in ms since 1970. */
  untilMs: number;
  /** Whether new events in the feed end the pause. */
  endsWithNews: boolean;
}

/** Delivery rounds of one endpoint. Each round sends due deliveries and stores the outcomes. */
export interface DeliveryRounds {
  /** Runs one round. Undefined: the endpoint was deleted, or its lease went to another gateway. */
  run(): Promise<Rest | undefined>;
  /** Follows the feed while new events are delivered. */
  readonly follower: FeedFollower | undefined;
  /** Stops following. The next round reads from the stored cursor. */
  closeFollower(): void;
}

/** Events in one batch. Events whose outcome is not stored when a gateway dies are sent again, so a batch is small. */
const batchSize = 20;

/** Retries in one batch while an endpoint is failing. They run one after another, up to 15 s each, and a pause by the owner takes effect afterwards. */
const failingBatchSize = 4;

/** Most pending retries of one endpoint. Beyond that, new events wait in the feed. */
export const pendingMax = 1000;

const never: Rest = { untilMs: Number.POSITIVE_INFINITY, endsWithNews: false };

/** Creates the rounds of an endpoint. @param token owner of the endpoint's lease */
export function createDeliveryRounds(
  endpointId: string,
  token: string,
  { deliveries, events, store, reader, feeds, writer, now, random, logger }: RoundDependencies,
  send: SendBatch,
): DeliveryRounds {
  const alarm = createEndpointAlarm({ events, logger, now });
  let follower: FeedFollower | undefined;

  function closeFollower(): void {
    follower?.close();
    follower = undefined;
  }

  /** Whether an event matches the endpoint's filter. Events about the endpoint itself never do, because a failed delivery would cause further events. */
  function isWanted(event: Event, { eventTypes }: StoredWebhook): boolean {
    return event.webhookEndpointId !== endpointId && (eventTypes.length === 0 || eventTypes.includes(event.type));
  }

  async function run(): Promise<Rest | undefined> {
    const [endpoint, fields] = await Promise.all([store.find(endpointId), deliveries.fields(endpointId)]);
    if (endpoint === undefined) return undefined;
    const before = healthIn(fields);
    if (endpoint.isPaused || before.disabledMs !== undefined) {
      closeFollower();
      return never;
    }
    const nowMs = now();
    const feed: FeedName = { participantId: endpoint.participantId, mode: endpoint.mode };
    const wasFailing = isFailing(before);
    const [due, pending, [replay]] = await Promise.all([
      deliveries.due(endpointId, nowMs, wasFailing ? failingBatchSize : batchSize),
      deliveries.pending(endpointId),
      deliveries.replays(endpointId),
    ]);
    const probeAtMs = wasFailing ? (before.probedMs ?? before.lastFailureMs ?? 0) + probeIntervalMs : 0;
    const room = pendingMax - pending.count;
    const takesNew = room > 0 && probeAtMs <= nowMs;
    follower ??= followFeed({ reader, feeds, feed, cursor: cursorIn(feed, before) });
    const page = takesNew ? await follower.next(wasFailing ? 1 : Math.min(batchSize, room)) : undefined;
    // New events take precedence over replays if there is little room for retries.
    const mayReplay = replay !== undefined && !wasFailing && room >= 2 * batchSize;
    const replayed = !mayReplay ? undefined : await readReplay(replay, reader, feed, batchSize);

    const fresh = [...(replayed?.events ?? []), ...(page?.events ?? [])].filter((event) => isWanted(event, endpoint));
    const batch = [...due.map(deliveryOf), ...fresh.map((event) => firstDelivery(event, writer, nowMs))];
    const delivered = await send(endpoint, batch, before);
    const { over, retries, health } = settleOutcomes(delivered.outcomes, delivered.health, { nowMs: now(), random });
    let next = await alarm(endpoint, before, health, delivered.outcomes);
    if (wasFailing && fresh.length > 0 && isFailing(next)) next = { ...next, probedMs: nowMs };
    if (page !== undefined) next = { ...next, cursor: encodeCursor(feed, page.cursor) };
    const changes = {
      fields: fieldsOfHealth(next, before),
      finished: over,
      retries,
      replays: replayed === undefined ? [] : [replayed.after],
    };
    const hasChanges = Object.keys(changes.fields).length + over.length + retries.length + changes.replays.length > 0;
    if (hasChanges && !(await deliveries.commit(endpointId, token, changes))) return undefined;
    if (wasFailing && next.consecutiveFailures === 0) await deliveries.bringForward(endpointId, now());

    if (next.disabledMs !== undefined) return never;
    const isFailingNow = isFailing(next);
    const hasMore = !isFailingNow && (page?.hasMore === true || (replayed !== undefined && replayed.after.content !== ""));
    const { count, nextMs = Number.POSITIVE_INFINITY } = await deliveries.pending(endpointId);
    const hasRoom = count < pendingMax;
    if ((hasMore && hasRoom) || (wasFailing && !isFailingNow)) return { untilMs: now(), endsWithNews: true };
    const nextProbeMs = isFailingNow ? (next.probedMs ?? next.lastFailureMs ?? 0) + probeIntervalMs : Number.POSITIVE_INFINITY;
    return { untilMs: Math.min(nextMs, nextProbeMs), endsWithNews: hasRoom && !isFailingNow };
  }

  return {
    run,
    get follower() {
      return follower;
    },
    closeFollower,
  };
}
