import { hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { manifestEntryOf } from "@petak/lifecycle";
import {
  type GetManifestRequest,
  GetManifestRequestSchema,
  type GetManifestResponse,
  GetManifestResponseSchema,
  type ManifestEntry,
  ManifestSiteSchema,
  parseReservationId,
  type Site,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { invalidCursor } from "../feed/invalid-cursor.ts";
import { findVisibleSites } from "../sites/find-sites.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type GetManifestDependencies = Pick<ReservationDependencies, "reservations" | "sites">;

/** Page size if the request does not specify it. */
const defaultPageSize = 100;

/** Reservations that are read for one page, whoever's they are, before it ends with the site that is being read. */
const readMax = 2000;

/** Where a page begins: at a site of the request, after an entry of it. */
interface Place {
  siteIndex: number;
  /** The key of the last entry, see {@link keyOf}. "": at the first entry. */
  afterKey: string;
}

/**
 * Lists what the caller has to bring to sites, and to take from them. It reads what the sites' agents may know, which has every reservation with something to be
 * done at a door, so that it needs no index.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one of the sites is not in the caller's network; CURSOR_INVALID.
 */
export async function getManifest(
  { reservations, sites }: GetManifestDependencies,
  request: GetManifestRequest,
  { participantId, mode }: ParticipantCaller,
): Promise<GetManifestResponse> {
  const start = decodePlace(request);
  const found = await findVisibleSites(sites, request.siteIds, mode === "test");
  const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  const page = create(GetManifestResponseSchema);
  let [listed, read] = [0, 0];
  for (let { siteIndex, afterKey } = start; siteIndex < found.length; siteIndex++, afterKey = "") {
    if (listed >= pageSize || read >= readMax) {
      page.nextCursor = encodePlace(request, { siteIndex, afterKey });
      break;
    }
    const { site } = found[siteIndex] as { site: Site };
    const known = await reservations.allowedAt(site.siteId);
    read += known.length;
    const entries = known
      .flatMap(({ reservation }) => manifestEntryOf(reservation, participantId) ?? [])
      .filter((entry) => isDue(entry, request) && keyOf(entry) > afterKey)
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    const fitting = entries.slice(0, pageSize - listed);
    const { siteId, operatorId, name, position, address } = site;
    page.sites.push(
      create(ManifestSiteSchema, {
        siteId,
        operatorId,
        name,
        ...(position && { position }),
        ...(address && { address }),
        entries: fitting,
      }),
    );
    listed += fitting.length;
    const last = fitting.at(-1);
    if (last !== undefined && fitting.length < entries.length) {
      page.nextCursor = encodePlace(request, { siteIndex, afterKey: keyOf(last) });
      break;
    }
  }
  return page;
}

/** The order of entries within a site, which no change of a parcel but that of its task moves. */
function keyOf({ task, reservationId }: ManifestEntry): string {
  return `${task}.${parseReservationId(reservationId)?.handle ?? ""}`;
}

function isDue({ dueAt }: ManifestEntry, { dueBefore }: GetManifestRequest): boolean {
  return dueBefore === undefined || (dueAt !== undefined && timestampMs(dueAt) < timestampMs(dueBefore));
}

/** Encodes a place: a hash of the query, the site and the key. */
function encodePlace(request: GetManifestRequest, { siteIndex, afterKey }: Place): string {
  return `${queryHash(request)}.${siteIndex}.${afterKey}`;
}

function decodePlace(request: GetManifestRequest): Place {
  if (request.cursor === "") return { siteIndex: 0, afterKey: "" };
  const [, made, siteIndex, afterKey] = /^([\w-]{8})\.(\d{1,3})\.(|\d\.[0-9a-z]+)$/.exec(request.cursor) ?? [];
  if (made !== queryHash(request) || siteIndex === undefined || afterKey === undefined) throw invalidCursor();
  if (Number(siteIndex) >= request.siteIds.length) throw invalidCursor();
  return { siteIndex: Number(siteIndex), afterKey };
}

/** Hash of the query without the page size, enough to detect a cursor of another one. */
function queryHash({ siteIds, dueBefore }: GetManifestRequest): string {
  const query = create(GetManifestRequestSchema, { siteIds, ...(dueBefore && { dueBefore }) });
  return hash("sha256", toBinary(GetManifestRequestSchema, query), "base64url").slice(0, 8);
}
