import { type Event, WebhookFailure } from "@petak/protocol";
import type { Allocator, ParticipantFeeds, StoredWebhook, WebhookStore } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { Logger, TellFailure } from "../../../observability/index.ts";
import { encodeCursor } from "../../event-pages/feed-cursor.ts";
import { type FeedFollower, followFeed } from "../../event-pages/feed-follower.ts";
import type { FeedReader } from "../../event-pages/feed-reader.ts";
import type { CloudEventWriter } from "./cloud-event.ts";
import { bySubject, type Delivery, type DeliveryOutcome, deliveryOf, firstDelivery } from "./delivery.ts";
import { cursorIn } from "./delivery-cursor.ts";
import { afterAttempt, type DeliveryHealth, fieldsOfHealth, healthIn, isFailing, probeIntervalMs } from "./delivery-health.ts";
import { createEndpointAlarm } from "./endpoint-alarm.ts";
import type { Attempt } from "./post-event.ts";
import { readReplay } from "./replay.ts";
import { settleOutcomes } from "./settle-outcomes.ts";
import type { SignAndPost } from "./sign-and-post.ts";
import type { Place, Slots } from "./slots.ts";
import type { After } from "./timers.ts";

/** What all workers share. */
export interface WorkerDependencies {
  allocator: Pick<Allocator, "deliveries" | "events">;
  store: WebhookStore;
  reader: FeedReader;
  feeds: ParticipantFeeds;
  writer: CloudEventWriter;
  signAndPost: SignAndPost;
  slots: Slots;
  now: () => number;
  after: After;
  /** A number in [0, 1). */
  random: () => number;
  logger: Logger;
  tell: TellFailure;
  /** Hears of every attempt. */
  onAttempt: (attempt: Attempt) => void;
}

/** Delivers to one endpoint for as long as its lease is held here. */
export interface EndpointWorker {
  /** Looks again at once: something about the endpoint was changed. */
  wake(): void;
  /** Begins no attempt any more and resolves when those under way have ended; `cut` breaks them off. */
  stop(cut: AbortSignal): Promise<void>;
  /** Resolves when it has ended: it was stopped, its lease went to another, or its endpoint is gone. */
  readonly ended: Promise<void>;
}

/** How long one attempt may take, in ms: what Standard Webhooks asks for at least. */
const attemptTimeoutMs = 15_000;

/** Events of one batch. What is tried and not yet written down when a gateway dies is sent twice, so it is few. */
const batchSize = 20;

/** Retries of one batch while an endpoint fails: one after another they may take 15 s each, and meanwhile nobody looks whether it was paused. */
const failingBatchSize = 4;

/** Attempts under way at once to one endpoint, each about another reservation. */
const concurrency = 4;

/** An attempt that takes longer, in ms, goes over to the slow ones, and the endpoint's next begins there. */
const slowAttemptMs = 2000;

/** Retries of one endpoint at most. Beyond it new events wait in the record, which has room. */
export const pendingMax = 1000;

/** How long a change that another gateway made goes unnoticed, in ms, and how long it waits after something went wrong. */
const lookAgainMs = 5000;
const afterErrorMs = 1000;

/** Waits for news of the record as long as this at most, in ms; a timer ends it much earlier. */
const newsTimeoutMs = 3_600_000;

/** Starts delivering to an endpoint. */
export function startEndpointWorker(endpointId: string, token: string, dependencies: WorkerDependencies): EndpointWorker {
  const { allocator, store, reader, feeds, writer, signAndPost, slots, now, after, random, logger, tell, onAttempt } = dependencies;
  const { deliveries, events } = allocator;
  const alarm = createEndpointAlarm({ events, logger, now });
  const stopping = new AbortController();
  const cutter = new AbortController();
  let follower: FeedFollower | undefined;
  let lastTookMs = 0;
  let isWoken = false;
  let wakeUp = () => {};

  function closeFollower(): void {
    follower?.close();
    follower = undefined;
  }

  /** What happened since, as far as the endpoint wants to know: never of itself, which would feed on its own failures. */
  function isWanted(event: Event, { eventTypes }: StoredWebhook): boolean {
    return event.webhookEndpointId !== endpointId && (eventTypes.length === 0 || eventTypes.includes(event.type));
  }

  /** One attempt, or undefined where none was made. */
  async function tryOnce(endpoint: StoredWebhook, delivery: Delivery, health: DeliveryHealth): Promise<Attempt | undefined> {
    const isSlow = health.consecutiveFailures > 0 || lastTookMs > slowAttemptMs;
    let place: Place | undefined;
    let cancel: (() => void) | undefined;
    try {
      place = await slots.take(isSlow ? "slow" : "prompt", stopping.signal);
      cancel = after(slowAttemptMs, place.slowDown);
      const attempt = await signAndPost(endpoint, delivery, { timeoutMs: attemptTimeoutMs, signal: cutter.signal });
      lastTookMs = attempt.tookMs;
      onAttempt(attempt);
      return attempt;
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      throw error;
    } finally {
      cancel?.();
      place?.giveBack();
    }
  }

  /** Sends a batch: what is about one thing one after another, what is about several things at once. */
  async function deliver(
    endpoint: StoredWebhook,
    batch: readonly Delivery[],
    before: DeliveryHealth,
  ): Promise<{ outcomes: DeliveryOutcome[]; health: DeliveryHealth }> {
    let health = before;
    const outcomes: DeliveryOutcome[] = [];
    const groups = bySubject(batch).values();
    async function run(): Promise<void> {
      for (const group of groups) {
        for (const delivery of group) {
          // Who was woken looks first at what has changed: its owner may have paused it.
          const isOver = stopping.signal.aborted || isWoken || health.disabledMs !== undefined;
          const attempt = isOver ? undefined : await tryOnce(endpoint, delivery, health);
          outcomes.push({ delivery, attempt });
          if (attempt === undefined) continue;
          health = afterAttempt(health, attempt, now());
          if (attempt.failure === WebhookFailure.GONE) health = { ...health, disabledMs: now() };
        }
      }
    }
    await Promise.all(Array.from({ length: isFailing(before) ? 1 : concurrency }, run));
    return { outcomes, health };
  }

  /** Sends what there is to send, and gives until when there is nothing more, in ms, and whether news of the record would change that. */
  async function round(): Promise<{ untilMs: number; hearsNews: boolean } | undefined> {
    const [endpoint, fields] = await Promise.all([store.find(endpointId), deliveries.fields(endpointId)]);
    if (endpoint === undefined) return undefined;
    const before = healthIn(fields);
    if (endpoint.isPaused || before.disabledMs !== undefined) {
      closeFollower();
      return { untilMs: Number.POSITIVE_INFINITY, hearsNews: false };
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
    // What is new comes first where there is little room.
    const mayReplay = replay !== undefined && !wasFailing && room >= 2 * batchSize;
    const replayed = !mayReplay ? undefined : await readReplay(replay, reader, feed, batchSize);

    const fresh = [...(replayed?.events ?? []), ...(page?.events ?? [])].filter((event) => isWanted(event, endpoint));
    const batch = [...due.map(deliveryOf), ...fresh.map((event) => firstDelivery(event, writer, nowMs))];
    const delivered = await deliver(endpoint, batch, before);
    const { over, retries, health } = settleOutcomes(delivered.outcomes, delivered.health, { nowMs: now(), random });
    let next = await alarm(endpoint, before, health, delivered.outcomes);
    if (wasFailing && fresh.length > 0 && isFailing(next)) next = { ...next, probedMs: nowMs };
    if (page !== undefined) next = { ...next, cursor: encodeCursor(feed, page.cursor) };
    const changes = { fields: fieldsOfHealth(next, before), over, retries, replays: replayed === undefined ? [] : [replayed.after] };
    const hasChanges = Object.keys(changes.fields).length + over.length + retries.length + changes.replays.length > 0;
    if (hasChanges && !(await deliveries.commit(endpointId, token, changes))) return undefined;
    if (wasFailing && next.consecutiveFailures === 0) await deliveries.bringForward(endpointId, now());

    if (next.disabledMs !== undefined) return { untilMs: Number.POSITIVE_INFINITY, hearsNews: false };
    const isFailingNow = isFailing(next);
    const hasMore = !isFailingNow && (page?.hasMore === true || (replayed !== undefined && replayed.after.content !== ""));
    const { count, nextMs = Number.POSITIVE_INFINITY } = await deliveries.pending(endpointId);
    const hasRoom = count < pendingMax;
    if ((hasMore && hasRoom) || (wasFailing && !isFailingNow)) return { untilMs: now(), hearsNews: true };
    const nextProbeMs = isFailingNow ? (next.probedMs ?? next.lastFailureMs ?? 0) + probeIntervalMs : Number.POSITIVE_INFINITY;
    return { untilMs: Math.min(nextMs, nextProbeMs), hearsNews: hasRoom && !isFailingNow };
  }

  /** Waits until a time, news, a wake or the stop. */
  async function wait(untilMs: number, hearsNews: boolean): Promise<void> {
    const waiting = new AbortController();
    wakeUp = () => waiting.abort();
    const waitMs = Math.min(lookAgainMs, untilMs - now());
    if (isWoken || waitMs <= 0 || stopping.signal.aborted) return;
    const cancel = after(waitMs, wakeUp);
    const ends = [stopping.signal, waiting.signal];
    if (hearsNews && follower !== undefined) await follower.wait(newsTimeoutMs, ends);
    else await untilOneAborts(ends);
    cancel();
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      isWoken = false;
      try {
        const rest = await round();
        if (rest === undefined) break;
        await wait(rest.untilMs, rest.hearsNews);
      } catch (error) {
        tell("a webhook's delivery", error, { endpoint_id: endpointId });
        // What was read and not written down is read again.
        closeFollower();
        await wait(now() + afterErrorMs, false);
      }
    }
    closeFollower();
  }

  const ended = run();
  return {
    ended,
    wake() {
      isWoken = true;
      wakeUp();
    },
    async stop(cut) {
      const onCut = () => cutter.abort(cut.reason);
      if (cut.aborted) onCut();
      else cut.addEventListener("abort", onCut, { once: true });
      stopping.abort();
      await ended;
      cut.removeEventListener("abort", onCut);
    },
  };
}

function untilOneAborts(signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    else any.addEventListener("abort", () => resolve(), { once: true });
  });
}
