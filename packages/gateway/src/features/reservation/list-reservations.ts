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
import { invalidCursor } from "../feed/invalid-cursor.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { decodeListCursor, encodeListCursor, type ListCursor } from "./list-cursor.ts";

export type ListReservationsDependencies = Pick<ReservationDependencies, "events" | "reader" | "reservations" | "sites">;

/** Page size if the request does not specify it. */
const defaultPageSize = 100;

/** Reads of the feed for one page until it is full. About one event in eight makes a reservation. */
const readsMax = 8;

/** Overdue reservations that are examined for one page, including those of other parties. */
const overdueExaminedMax = 2000;

/** Overdue reservations read in one round trip. */
const overdueBatchSize = 200;

/** Regions that are searched for one page of overdue reservations. Most have none. */
const regionsMax = 200;

/** A page of reservations. */
interface Page {
  found: Reservation[];
  /** Where to continue. Undefined: the list is complete. */
  next: ListCursor | undefined;
}

/** Reads a page in one of the two orders. */
type ReadPage = (
  dependencies: ListReservationsDependencies,
  request: ListReservationsRequest,
  caller: ParticipantCaller,
  from: { after: string; pageSize: number },
) => Promise<Page>;

/**
 * Lists reservations without an index, which would take too much memory. The event that made a reservation is recorded once at a fixed position of the
 * caller's feed, so that reading the feed in order yields each reservation once, regardless of later changes. The current reservation is then read by id.
 * Only overdue reservations have an index.
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

/** Reads reservations in the order in which they were made, from the caller's feed. */
const readMade: ReadPage = async (dependencies, request, caller, { after, pageSize }) => {
  const { reader, reservations } = dependencies;
  const regions = regionsOf(request);
  if (regions?.size === 0) return { found: [], next: undefined };
  const [region] = regions ?? [];
  const found: Reservation[] = [];
  let cursor = after === "" ? { number: 0 } : decodeCursor(caller, after);
  await reader.bringUpToDate(caller);
  for (let reads = 0; reads < readsMax && found.length < pageSize; reads++) {
    // Each event yields one reservation at most, so this does not exceed the page.
    const page = await reader.readAfter(caller, cursor, pageSize - found.length, region);
    const relevant = page.events.filter((event) => isMaking(event, request) || isPromotion(event, request));
    const read = await findAll(
      reservations,
      relevant.map(({ reservationId }) => reservationId),
    );
    for (const [index, reservation] of read.entries()) {
      if (reservation === undefined || !isParty(reservation, caller) || !isWanted(reservation, request)) continue;
      const wasListed =
        isPromotion(relevant[index] as Event, request) && (await wasListedWhenMade(dependencies, reservation, request, caller));
      if (!wasListed) found.push(reservation);
    }
    ({ cursor } = page);
    if (!page.hasMore) return { found, next: undefined };
  }
  return { found, next: { kind: "made", after: encodeCursor(caller, cursor) } };
};

/**
 * Whether a promoted reservation was already listed by the event that made it. A queued reservation was made at the site that it asked for and may have
 * been promoted at another one: the operator of that other site, and a list of that site, get it by its promotion.
 */
async function wasListedWhenMade(
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

/** Reads overdue reservations from the regions' indexes. */
const readOverdue: ReadPage = async ({ events, reservations }, request, caller, { after, pageSize }) => {
  const place = after === "" ? { region: "", afterId: "" } : parsePlace(after);
  const inRegions = [...(regionsOf(request) ?? (await events.regions()))].filter((region) => region >= place.region).sort();
  const found: Reservation[] = [];
  let examined = 0;
  for (const [index, region] of inRegions.entries()) {
    let afterId = region === place.region ? place.afterId : "";
    for (;;) {
      if (found.length >= pageSize || examined >= overdueExaminedMax || index >= regionsMax) {
        return { found, next: { kind: "overdue", after: placeAfter(region, afterId) } };
      }
      // No more than fit into the page.
      const ids = await reservations.overdue(region, afterId, Math.min(overdueBatchSize, pageSize - found.length));
      if (ids.length === 0) break;
      for (const reservation of await findAll(reservations, ids)) {
        if (reservation !== undefined && isParty(reservation, caller) && isWanted(reservation, request)) found.push(reservation);
      }
      afterId = ids.at(-1) as string;
      examined += ids.length;
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

/** The regions that can have matching reservations. Undefined: all. */
function regionsOf({ siteId }: ListReservationsRequest): ReadonlySet<Region> | undefined {
  if (siteId === "") return undefined;
  const id = parseSiteId(siteId);
  return new Set(id === undefined ? [] : [id.region]);
}

/** Whether an event made a reservation that may match. Making a reservation writes its first revision. */
function isMaking(
  { reservationId, reservationRevision, stateBefore, stateAfter, ...event }: Event,
  request: ListReservationsRequest,
): boolean {
  const isFirst = reservationId !== "" && reservationRevision === 1 && stateBefore !== stateAfter;
  const isAt = request.siteId === "" || event.siteId === request.siteId;
  return isFirst && isAt && (request.partnerReference === "" || event.partnerReference === request.partnerReference);
}

/** Whether an event promoted a reservation that may match. */
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

/** Encodes a position in the regions' indexes: a region, and a handle unless it is at the beginning of the region. */
function placeAfter(region: Region, afterId: string): string {
  return `${region}.${parseReservationId(afterId)?.handle ?? ""}`;
}

function parsePlace(after: string): { region: Region; afterId: string } {
  const [, region, handle] = /^(8[0-9a-f]{5})\.([0-9a-z]*)$/.exec(after) ?? [];
  if (region === undefined || handle === undefined) throw invalidCursor();
  if (handle === "") return { region, afterId: "" };
  const afterId = formatReservationId(region, handle);
  if (parseReservationId(afterId) === undefined) throw invalidCursor();
  return { region, afterId };
}
