import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isOverdue, isParty, limitInForce } from "@petak/lifecycle";
import {
  type Event,
  EventType,
  formatReservationId,
  type ListReservationsRequest,
  type ListReservationsResponse,
  ListReservationsResponseSchema,
  Purpose,
  parseReservationId,
  parseSiteId,
  type Region,
  type Reservation,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeCursor, encodeCursor } from "../feed/feed-cursor.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { decodeListCursor, encodeListCursor, invalidListCursor, type ListCursor } from "./list-cursor.ts";

export type ListReservationsDependencies = Pick<ReservationDependencies, "events" | "reader" | "reservations" | "sites">;

/** Reservations of a page where a caller does not say how many. */
const defaultPageSize = 100;

/** How often a page reads on while it is not full: of a parcel's life one event in eight or so makes a reservation. */
const readsMax = 8;

/** Overdue reservations that a page looks at, whosever they are. */
const overdueLookedAtMax = 2000;

/** Overdue reservations read in one round trip. */
const overdueAtOnce = 200;

/** Regions that a page looks through for overdue reservations: most have none. */
const regionsMax = 200;

/** Some of a list, and where to go on; undefined: that was all. */
interface Page {
  found: Reservation[];
  next: ListCursor | undefined;
}

/** One of the two ways to list: the reservations of a page, and where it ends. */
type ReadPage = (
  dependencies: ListReservationsDependencies,
  request: ListReservationsRequest,
  caller: ParticipantCaller,
  from: { after: string; pageSize: number },
) => Promise<Page>;

/**
 * Lists reservations without an index of them, which would take more memory than a reservation may. The event that made a reservation is recorded once and
 * stays where it is, so that reading the caller's feed in order shows each reservation once, whatever becomes of it meanwhile; the reservation is then
 * read as it stands. Only overdue reservations have an index, by id.
 */
export async function listReservations(
  dependencies: ListReservationsDependencies,
  request: ListReservationsRequest,
  caller: ParticipantCaller,
): Promise<ListReservationsResponse> {
  const kind = request.overdue ? "overdue" : "made";
  const after = decodeListCursor(request, kind);
  const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  const read = kind === "overdue" ? readOverdue : readMade;
  const { found, next } = await read(dependencies, request, caller, { after, pageSize });
  return create(ListReservationsResponseSchema, {
    reservations: found,
    nextCursor: next === undefined ? "" : encodeListCursor(request, next),
  });
}

/** Reads on in the caller's feed. */
const readMade: ReadPage = async (dependencies, request, caller, { after, pageSize }) => {
  const { reader, reservations } = dependencies;
  const regions = regionsOf(request);
  if (regions?.size === 0) return { found: [], next: undefined };
  const [region] = regions ?? [];
  const found: Reservation[] = [];
  let cursor = after === "" ? { number: 0 } : decodeCursor(caller, after);
  await reader.bringUpToDate(caller);
  for (let reads = 0; reads < readsMax && found.length < pageSize; reads++) {
    // No more than fit: each event shows one reservation at most.
    const page = await reader.readAfter(caller, cursor, pageSize - found.length, region);
    const showing = page.events.filter((event) => isMaking(event, request) || isPromotion(event, request));
    const read = await findAll(
      reservations,
      showing.map(({ reservationId }) => reservationId),
    );
    for (const [index, reservation] of read.entries()) {
      if (reservation === undefined || !isParty(reservation, caller) || !isWanted(reservation, request)) continue;
      const wasShown =
        isPromotion(showing[index] as Event, request) && (await wasShownWhenMade(dependencies, reservation, request, caller));
      if (!wasShown) found.push(reservation);
    }
    ({ cursor } = page);
    if (!page.hasMore) return { found, next: undefined };
  }
  return { found, next: { kind: "made", after: encodeCursor(caller, cursor) } };
};

/**
 * Whether the event that made a reservation has shown it already. One that waited was made at the site that it wanted, and may be at another now: the
 * operator of that site, and a list of that site, see it promoted there.
 */
async function wasShownWhenMade(
  { sites }: Pick<ListReservationsDependencies, "sites">,
  { queuedSiteIds, participantId }: Reservation,
  { siteId }: ListReservationsRequest,
  caller: ParticipantCaller,
): Promise<boolean> {
  const [madeAt = ""] = queuedSiteIds;
  if (siteId !== "") return siteId === madeAt;
  if (participantId === caller.participantId) return true;
  return (await sites.find(madeAt))?.site.operatorId === caller.participantId;
}

/** Reads on in the regions' indexes of overdue reservations. */
const readOverdue: ReadPage = async ({ events, reservations }, request, caller, { after, pageSize }) => {
  const place = after === "" ? { region: "", afterId: "" } : parsePlace(after);
  const inRegions = [...(regionsOf(request) ?? (await events.regions()))].filter((region) => region >= place.region).sort();
  const found: Reservation[] = [];
  let lookedAt = 0;
  for (const [index, region] of inRegions.entries()) {
    let afterId = region === place.region ? place.afterId : "";
    for (;;) {
      if (found.length >= pageSize || lookedAt >= overdueLookedAtMax || index >= regionsMax) {
        return { found, next: { kind: "overdue", after: placeAfter(region, afterId) } };
      }
      // No more than fit.
      const ids = await reservations.overdue(region, afterId, Math.min(overdueAtOnce, pageSize - found.length));
      if (ids.length === 0) break;
      for (const reservation of await findAll(reservations, ids)) {
        if (reservation !== undefined && isParty(reservation, caller) && isWanted(reservation, request)) found.push(reservation);
      }
      afterId = ids.at(-1) as string;
      lookedAt += ids.length;
    }
  }
  return { found, next: undefined };
};

function findAll(
  reservations: Pick<ListReservationsDependencies["reservations"], "find">,
  ids: readonly string[],
): Promise<(Reservation | undefined)[]> {
  return Promise.all(ids.map((id) => reservations.find(id)));
}

/** The regions in which a wanted reservation can be; undefined: any region. */
function regionsOf({ siteId }: ListReservationsRequest): ReadonlySet<Region> | undefined {
  if (siteId === "") return undefined;
  const id = parseSiteId(siteId);
  return new Set(id === undefined ? [] : [id.region]);
}

/** Whether an event made a reservation that may be wanted. Only the first revision has none before it. */
function isMaking(
  { reservationId, reservationRevision, stateBefore, stateAfter, ...event }: Event,
  request: ListReservationsRequest,
): boolean {
  const isFirst = reservationId !== "" && reservationRevision === 1 && stateBefore !== stateAfter;
  const isAt = request.siteId === "" || event.siteId === request.siteId;
  return isFirst && isAt && (request.partnerReference === "" || event.partnerReference === request.partnerReference);
}

/** Whether an event promoted a reservation that may be wanted. */
function isPromotion({ type, siteId, partnerReference }: Event, request: ListReservationsRequest): boolean {
  if (type !== EventType.RESERVATION_PROMOTED || (request.siteId !== "" && siteId !== request.siteId)) return false;
  return request.partnerReference === "" || partnerReference === request.partnerReference;
}

function isWanted(reservation: Reservation, request: ListReservationsRequest): boolean {
  const { states, siteId, purpose, partnerReference, overdue, deadlineBefore } = request;
  if (states.length > 0 && !states.includes(reservation.state)) return false;
  if (siteId !== "" && reservation.siteId !== siteId) return false;
  if (purpose !== Purpose.UNSPECIFIED && reservation.purpose !== purpose) return false;
  if (partnerReference !== "" && reservation.partnerReference !== partnerReference) return false;
  if (overdue && !isOverdue(reservation)) return false;
  if (deadlineBefore === undefined) return true;
  const limit = limitInForce(reservation);
  return limit !== undefined && timestampMs(limit) < timestampMs(deadlineBefore);
}

/** A place in the lists of the regions: a region, and a handle unless it is at the region's beginning. */
function placeAfter(region: Region, afterId: string): string {
  return `${region}.${parseReservationId(afterId)?.handle ?? ""}`;
}

function parsePlace(after: string): { region: Region; afterId: string } {
  const [, region, handle] = /^(8[0-9a-f]{5})\.([0-9a-z]*)$/.exec(after) ?? [];
  if (region === undefined || handle === undefined) throw invalidListCursor();
  if (handle === "") return { region, afterId: "" };
  const afterId = formatReservationId(region, handle);
  if (parseReservationId(afterId) === undefined) throw invalidListCursor();
  return { region, afterId };
}
