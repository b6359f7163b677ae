import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SiteQuery } from "@petak/allocator";
import { checkSite } from "@petak/allocator";
import {
  EventSchema,
  EventType,
  HoldKind,
  type Parcel,
  ParcelSchema,
  PartyKind,
  PartySchema,
  Purpose,
  parseSiteId,
  type Region,
  type Reservation,
  ReservationSchema,
  ReservationState,
} from "@petak/protocol";
import { holdClass } from "../../encoding/hold-classes.ts";
import type { Records } from "../../records.ts";
import { type HoldCandidate, storedCandidate } from "../../reservations/candidates.ts";
import type { HoldOutcome, HoldRequest } from "../../reservations/reserve.ts";

/** A request of a test. */
export interface Wish {
  number: number;
  /** The sites at which it may be queued, all of one region, the wanted one first. */
  siteIds: readonly string[];
  /** Sites of any region that are tried before it is queued. */
  elsewhere?: readonly string[];
  /** The edge of the parcel, a cube, in mm. */
  edgeMm: number;
  participantId?: string;
  holdKind?: HoldKind;
  takesUnknown?: boolean;
  /** When it was queued elsewhere, in µs since 1970. */
  sinceUs?: number;
}

export const waitMs = 3_600_000;
export const holdMs = 600_000;
const defaultParticipant = "par_0000000000000009";

export function cube(edgeMm: number): Parcel {
  return create(ParcelSchema, { widthMm: edgeMm, heightMm: edgeMm, depthMm: edgeMm, massG: 100 });
}

export function queryOf({ edgeMm, holdKind = HoldKind.SOFT }: Pick<Wish, "edgeMm" | "holdKind">): SiteQuery {
  return {
    parcel: cube(edgeMm),
    purpose: Purpose.DELIVERY,
    isTest: true,
    kinds: [],
    operatorIds: [],
    excludedOperatorIds: [],
    isHard: holdKind === HoldKind.HARD,
  };
}

/** The hold request for a wish: the same each time, except for the time. */
export function requestFor(wish: Wish, nowMs: number): HoldRequest {
  const { number, siteIds, edgeMm, participantId = defaultParticipant, holdKind = HoldKind.SOFT, takesUnknown = false, sinceUs } = wish;
  const at = timestampFromMs(nowMs);
  const common = {
    participantId,
    parcel: cube(edgeMm),
    holdKind,
    isTest: true,
    partnerReference: `parcel-${number}`,
    revision: 1,
    createdAt: at,
    updatedAt: at,
  };
  const actor = create(PartySchema, { kind: PartyKind.GATEWAY });
  return {
    participantId,
    requestId: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    fingerprint: Buffer.from(`fingerprint-${number}`.padEnd(16).slice(0, 16)),
    isBound: false,
    homeRegion: parseSiteId(siteIds[0] ?? "")?.region ?? "",
    reservation: create(ReservationSchema, {
      ...common,
      state: ReservationState.HELD,
      holdExpiresAt: timestampFromMs(nowMs + holdMs),
    }),
    deadlineMs: nowMs + holdMs,
    event: (reservationId) =>
      create(EventSchema, { type: EventType.RESERVATION_HELD, reservationId, participantId, actor, occurredAt: at }),
    waiting: {
      query: queryOf({ edgeMm, holdKind }),
      takesUnknown,
      holdMs,
      ...(sinceUs === undefined ? {} : { sinceUs }),
      reservation: create(ReservationSchema, {
        ...common,
        state: ReservationState.QUEUED,
        queuedUntil: timestampFromMs(nowMs + waitMs),
      }),
      queuedEvent: ({ reservationId, siteId }) =>
        create(EventSchema, { type: EventType.RESERVATION_QUEUED, reservationId, siteId, participantId, actor, occurredAt: at }),
      promotedEvent: (reservationId) =>
        create(EventSchema, { type: EventType.RESERVATION_PROMOTED, reservationId, participantId, actor, eventId: `evt_${reservationId}` }),
    },
  };
}

async function candidateAt(records: Records, siteId: string, query: SiteQuery): Promise<HoldCandidate | undefined> {
  const stored = await records.sites.find(siteId);
  if (stored === undefined || !stored.isOffered) return undefined;
  const { reason, classes } = checkSite(query, stored.site);
  if (reason !== undefined) return undefined;
  return storedCandidate(
    stored,
    classes.map((index) => holdClass(stored.site, index, query.isHard === true)),
  );
}

/** Takes the first free place, or queues the reservation, as a gateway does. */
export async function reserveOrWait(records: Records, wish: Wish, nowMs: number): Promise<HoldOutcome> {
  const request = requestFor(wish, nowMs);
  const query = queryOf(wish);
  const resolve = (siteId: string) => candidateAt(records, siteId, query);
  request.isFirst = !(await records.requestIds.claim(request.participantId, request.requestId, request.fingerprint));
  request.isBound = true;
  for (const siteIds of [wish.siteIds, wish.elsewhere ?? []]) {
    const candidates = (await Promise.all(siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
    if (candidates.length === 0) continue;
    const outcome = await records.holds.take(request, candidates, resolve);
    if (outcome.tag !== "none") return outcome;
  }
  return await records.holds.wait(request, wish.siteIds, resolve);
}

/** Cancels a queued or held reservation. Returns false if it has ended already or has changed concurrently. */
export async function end(records: Records, reservationId: string, nowMs: number): Promise<boolean> {
  const before = await records.reservations.find(reservationId);
  if (before === undefined) return false;
  const isHeld = before.state === ReservationState.HELD;
  if (!isHeld && before.state !== ReservationState.QUEUED) return false;
  const after: Reservation = {
    ...before,
    state: ReservationState.CANCELLED,
    revision: before.revision + 1,
    updatedAt: timestampFromMs(nowMs),
  };
  const { tag } = await records.reservations.apply({
    before,
    after,
    heldChange: isHeld ? -1 : 0,
    occupiedChange: 0,
    deadlineMs: null,
    events: [
      create(EventSchema, {
        type: EventType.RESERVATION_CANCELLED,
        reservationId,
        siteId: before.siteId,
        stateBefore: before.state,
        occurredAt: timestampFromMs(nowMs),
      }),
    ],
  });
  return tag === "done";
}

export function regionOf(siteId: string): Region {
  return parseSiteId(siteId)?.region ?? "";
}
