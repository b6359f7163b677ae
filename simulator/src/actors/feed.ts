import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ReservationState } from "@petak/protocol";
import { ask, CallFailed, servicePatienceMs } from "./calls.ts";
import { placeEnds, placeGiven } from "./change.ts";
import type { City } from "./city.ts";
import { confirm } from "./confirm.ts";
import type { Courier } from "./courier.ts";
import type { Life } from "./life.ts";
import type { Moment } from "./moment.ts";

/** Events per call: the protocol's limit. */
const pageSize = 1000;

const namesOf = (values: Readonly<Record<string, number>>) => new Map(Object.entries(values).map(([name, value]) => [value, name]));
const typeNames = namesOf(EventType);
const stateNames = namesOf(ReservationState);

/** Reads a courier's feed to its end, or as far as the gateway answers, and observes every event. Returns them. */
async function readFeed(city: City, courier: Courier): Promise<Event[]> {
  const read: Event[] = [];
  const { custody } = courier.client;
  try {
    for (let hasMore = true; hasMore; ) {
      const atMs = city.nowMs();
      const request = { cursor: courier.cursor, pageSize };
      const asked = { intention: 0, operation: "events" } as const;
      const page = await ask(city, asked, (options) => custody.listEvents(request, options), servicePatienceMs);
      for (const event of page.events) {
        observe(city, courier, event);
        read.push(event);
      }
      courier.cursor = page.nextCursor;
      courier.feedNumber = Number(page.events.at(-1)?.feedNumber ?? courier.feedNumber);
      hasMore = page.hasMore;
      const { participantId, feedNumber } = courier;
      if (!hasMore) city.observe({ kind: "feed", atMs, participantId, feedNumber });
    }
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
  return read;
}

function observe(city: City, { participantId }: Courier, event: Event): void {
  const { feedNumber, eventId, reservationId, siteId, reservationRevision, type, stateAfter, occurredAt, recordedAt } = event;
  city.observe({
    kind: "event",
    atMs: city.nowMs(),
    participantId,
    feedNumber: Number(feedNumber),
    eventId,
    reservationId,
    siteId,
    revision: reservationRevision,
    type: typeNames.get(type) ?? String(type),
    stateAfter: stateNames.get(stateAfter) ?? String(stateAfter),
    occurredAtMs: occurredAt === undefined ? 0 : timestampMs(occurredAt),
    recordedAtMs: recordedAt === undefined ? 0 : timestampMs(recordedAt),
  });
}

/** The courier acts on what it has read, in the order in which it was recorded. @param planMs the time of the trace */
export function react(city: City, events: readonly Event[], planMs: number): void {
  const recordedMs = ({ recordedAt }: Event) => (recordedAt === undefined ? 0 : timestampMs(recordedAt));
  for (const event of events.toSorted((a, b) => recordedMs(a) - recordedMs(b))) {
    const life = city.lives.of(event.reservationId);
    if (life !== undefined) reactTo(city, life, event, planMs);
  }
}

function reactTo(city: City, life: Life, { type, siteId }: Event, planMs: number): void {
  const { lives, schedule } = city;
  const { person, depositAfterMs } = life.intention;
  switch (type) {
    case EventType.RESERVATION_PROMOTED:
      if (life.phase === "queued") schedule.at(planMs, (moment) => promoted(city, life, siteId, moment), person);
      break;
    case EventType.RESERVATION_REJECTED:
      life.waitedMs = city.nowMs() - (life.queuedAtMs ?? city.nowMs());
      lives.end(life, "rejected");
      break;
    case EventType.RESERVATION_EXPIRED:
      placeEnds(city, life);
      lives.end(life, "expired");
      break;
    case EventType.RESERVATION_NO_SHOW:
      // If somebody is at the door with the parcel, what comes of that decides.
      if (life.phase !== "held" || life.isBusy) break;
      placeEnds(city, life);
      lives.end(life, depositAfterMs === null ? "no-show" : "expired");
      break;
    case EventType.RESERVATION_CANCELLED:
      // By somebody else: with its site.
      if (life.isBusy) break;
      placeEnds(city, life);
      lives.end(life, "stranded", { reason: "SITE_PROBLEM" });
      break;
    case EventType.RESERVATION_IN_DOUBT:
      lives.end(life, "stranded", { reason: "IN_DOUBT" });
      break;
    case EventType.PARCEL_OVERDUE:
      lives.rest(life, false);
      city.nextRound(planMs, { life, act: "RECALL" });
      break;
  }
}

/** A place has come free for somebody who waits. */
async function promoted(city: City, life: Life, siteId: string, moment: Moment): Promise<void> {
  if (life.phase !== "queued" || life.isBusy) return;
  const { intention, reservationId = "", courier } = life;
  life.waitedMs = city.nowMs() - (life.queuedAtMs ?? city.nowMs());
  const asked = { intention: intention.id, operation: "read", reservationId, siteId } as const;
  const { reservations } = courier.client;
  try {
    const answer = await ask(city, asked, (options) => reservations.getReservation({ reservationId }, options), servicePatienceMs);
    if (answer.reservation?.state !== ReservationState.HELD) return;
    life.phase = "held";
    await placeGiven(city, life, answer.reservation);
  } catch (error) {
    // The place is not confirmed, so that its hold expires.
    if (!(error instanceof CallFailed)) throw error;
    return;
  }
  await confirm(city, life, moment);
}

/** Reads all couriers' feeds to their ends. Where the gateway does not answer, the rest is read the next time. */
export async function readFeeds(city: City, couriers: readonly Courier[]): Promise<Event[]> {
  // Of all, also if one throws: no feed may be read twice at a time.
  const reads = await Promise.allSettled(couriers.map((courier) => readFeed(city, courier)));
  return reads.flatMap((read) => {
    if (read.status === "rejected") throw read.reason;
    return read.value;
  });
}
