import type { Random } from "@petak/testkit";
import type { EventSeen, Observation, SiteSeen } from "../../observe/observation.ts";
import { minuteMs, site, startMs } from "./stream.ts";

interface Reserved {
  readonly id: string;
  readonly intention: number;
  readonly siteId: string;
  readonly courier: string;
  revision: number;
  state: string;
  deadlineMs: number;
}

/** What an actor does, with a yield wherever others may act meanwhile. */
type Actor = Generator<void, void, undefined>;

const siteIds = ["site_1", "site_2"];
const couriers = ["par_a", "par_b"];
const holdMs = 10 * minuteMs;

/**
 * A small network in memory that keeps all its promises, with people, couriers and terminals whose calls overlap in a random order: what is observed comes later than
 * it happens, and in another order. Two sites of two places each, two couriers.
 */
export function modelNetwork(random: Random, people = 30): Observation[] {
  const observed: Observation[] = [
    ...siteIds.map((siteId): SiteSeen => ({ ...site, siteId })),
    ...couriers.map((participantId): Observation => ({ kind: "feed", atMs: startMs, participantId, feedNumber: 0 })),
  ];
  const all: Reserved[] = [];
  const feeds = new Map<string, EventSeen[]>(couriers.map((courier) => [courier, []]));
  const unreported = new Map<string, (() => void)[]>(siteIds.map((siteId) => [siteId, []]));
  const inside = new Map<string, string>();
  let nowMs = startMs;
  let events = 0;

  const observe = (observation: Observation) => void observed.push(observation);
  const placesOf = (siteId: string, ...states: string[]) => all.filter((one) => one.siteId === siteId && states.includes(one.state)).length;
  const isFree = (siteId: string) => placesOf(siteId, "HELD", "CONFIRMED", "DEPOSITED") < 2;

  const isInside = ({ state }: Reserved) => state === "DEPOSITED";

  function record(reserved: Reserved, type: string, state = reserved.state): void {
    reserved.revision += state === reserved.state ? 0 : 1;
    reserved.state = state;
    const feed = feeds.get(reserved.courier) as EventSeen[];
    const about = { reservationId: reserved.id, siteId: reserved.siteId, revision: reserved.revision, type, stateAfter: state };
    const times = { atMs: nowMs, occurredAtMs: nowMs, recordedAtMs: nowMs };
    feed.push({
      kind: "event",
      participantId: reserved.courier,
      feedNumber: feed.length + 1,
      eventId: `evt_${++events}`,
      ...about,
      ...times,
    });
  }

  function call(operation: "confirm" | "cancel" | "sync", intention: number, about: { reservationId?: string; siteId?: string }): void {
    observe({ kind: "call", intention, operation, atMs: nowMs, dueMs: 0, sentMs: 0, doneMs: 1, outcome: "OK", ...about });
  }

  /** Looks, reserves, perhaps confirms, perhaps cancels, deposits and collects. */
  function* person(intention: number): Actor {
    const siteId = random.pick(siteIds);
    const courier = random.pick(couriers);
    const askedAtMs = nowMs;
    yield;
    if (!isFree(siteId)) return;
    const freeToPromise = 2 - placesOf(siteId, "HELD", "CONFIRMED", "DEPOSITED");
    const observedAtMs = nowMs;
    yield;
    const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 5000 };
    const openAtMs = startMs + 5 * 60 * minuteMs;
    const counts = { freeToPromise, observedAtMs, ttlMs: minuteMs, distanceM: 1 };
    observe({
      kind: "offer",
      intention,
      atMs: nowMs,
      siteId,
      sizeClassId: "S",
      parcel,
      askedAtMs,
      ...(random.bool() && { openAtMs }),
      ...counts,
    });
    yield;
    if (!isFree(siteId)) return;
    const reserved: Reserved = { id: `res_${intention}`, intention, siteId, courier, revision: 0, state: "", deadlineMs: nowMs + holdMs };
    all.push(reserved);
    record(reserved, "RESERVATION_HELD", "HELD");
    yield;
    observe({ kind: "given", intention, atMs: nowMs, reservationId: reserved.id, siteId, sizeClassId: "S", participantId: courier });
    yield;
    if (random.bool(0.1)) return;
    if (reserved.state !== "HELD") return;
    record(reserved, "RESERVATION_CONFIRMED", "CONFIRMED");
    reserved.deadlineMs = nowMs + 60 * minuteMs;
    yield;
    call("confirm", intention, { reservationId: reserved.id });
    yield;
    if (random.bool(0.2)) yield* cancel(reserved);
    else if (random.bool(0.9)) yield* parcelOf(reserved);
  }

  function* cancel(reserved: Reserved): Actor {
    observe({ kind: "freed", intention: reserved.intention, atMs: nowMs, reservationId: reserved.id });
    yield;
    if (reserved.state !== "CONFIRMED") return;
    record(reserved, "RESERVATION_CANCELLED", "CANCELLED");
    yield;
    call("cancel", reserved.intention, { reservationId: reserved.id });
  }

  function* parcelOf(reserved: Reserved): Actor {
    // A courier is there well before the place is given to others.
    if (reserved.state !== "CONFIRMED") return;
    record(reserved, "CREDENTIAL_ISSUED");
    yield;
    if (reserved.state !== "CONFIRMED") return;
    const compartmentId = ["S-1", "S-2"].find((one) => !inside.has(`${reserved.siteId} ${one}`));
    if (compartmentId === undefined) return;
    const place = `${reserved.siteId} ${compartmentId}`;
    inside.set(place, reserved.id);
    reserved.deadlineMs = Number.POSITIVE_INFINITY;
    visit(reserved, "DEPOSIT", compartmentId);
    unreported.get(reserved.siteId)?.push(() => record(reserved, "PARCEL_DEPOSITED", "DEPOSITED"));
    for (let pauses = random.int(0, 20); pauses > 0 || !isInside(reserved); pauses--) yield;
    observe({ kind: "freed", intention: reserved.intention, atMs: nowMs, reservationId: reserved.id });
    visit(reserved, "COLLECT", compartmentId);
    inside.delete(place);
    unreported.get(reserved.siteId)?.push(() => record(reserved, "PARCEL_COLLECTED", "COLLECTED"));
  }

  function visit({ id, intention, siteId }: Reserved, act: "DEPOSIT" | "COLLECT", compartmentId: string): void {
    const shown = { by: "TOKEN", credentialHash: `${act} ${id}`, offline: random.bool(0.1) } as const;
    observe({
      kind: "door",
      intention,
      atMs: nowMs,
      siteId,
      reservationId: id,
      act,
      ...shown,
      compartmentId,
      opened: true,
      isInside: act === "DEPOSIT",
    });
    if (random.bool(0.1))
      observe({ kind: "door", intention, atMs: nowMs, siteId, reservationId: id, act, ...shown, opened: false, refusal: "SPENT" });
  }

  /** The terminal reports what happened at it, when it comes to that. */
  function* terminal(siteId: string): Actor {
    for (;;) {
      yield;
      const reports = unreported.get(siteId)?.splice(0) ?? [];
      for (const report of reports) {
        report();
        yield;
      }
      if (unreported.get(siteId)?.length === 0) observe({ kind: "reported", atMs: nowMs, siteId });
      call("sync", 0, { siteId });
    }
  }

  function* reader(participantId: string): Actor {
    const feed = feeds.get(participantId) as EventSeen[];
    for (let read = 0; ; ) {
      const page = feed.slice(read);
      yield;
      for (const event of page) observe({ ...event, atMs: nowMs });
      read += page.length;
      observe({ kind: "feed", atMs: nowMs, participantId, feedNumber: read });
      yield;
    }
  }

  function* directoryReader(): Actor {
    for (;;) {
      yield;
      observe({ kind: "directory", atMs: nowMs });
    }
  }

  function* sampler(): Actor {
    for (;;) {
      const siteId = random.pick(siteIds);
      const [held, occupied] = [placesOf(siteId, "HELD", "CONFIRMED"), placesOf(siteId, "DEPOSITED")];
      const taken = { installed: 2, inService: 2, held, occupied, occupiedByOthers: 0, freeToPromise: 2 - held - occupied };
      const publishedAtMs = nowMs;
      for (let pauses = random.int(1, 20); pauses > 0; pauses--) yield;
      const times = { atMs: nowMs, observedAtMs: publishedAtMs, publishedAtMs };
      observe({ kind: "counts", siteId, isKnown: true, ...times, sizeClasses: [{ sizeClassId: "S", ...taken }] });
    }
  }

  /** What the clock does. */
  function pass(): void {
    nowMs += random.bool(0.3) ? 0 : random.int(1, 20_000);
    for (const reserved of all) {
      if (reserved.deadlineMs > nowMs) continue;
      if (reserved.state === "HELD") record(reserved, "RESERVATION_EXPIRED", "EXPIRED");
      else if (reserved.state === "CONFIRMED") record(reserved, "RESERVATION_NO_SHOW", "NO_SHOW");
    }
  }

  const always = [...couriers.map(reader), ...siteIds.map(terminal), directoryReader(), sampler()];
  let acting = Array.from({ length: people }, (_, index) => person(index + 1));
  while (acting.length > 0) {
    pass();
    const actor = random.pick(random.bool(0.6) ? acting.slice(0, 8) : always);
    if (actor.next().done === true) acting = acting.filter((one) => one !== actor);
  }
  for (let round = 0; round < 30; round++) for (const actor of random.shuffle(always)) actor.next();
  for (const { id, intention } of all) observe({ kind: "chain", intention, atMs: nowMs, reservationId: id, isComplete: true, faults: [] });
  return observed;
}
