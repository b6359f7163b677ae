import { hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ListReservationsRequest, ListReservationsRequestSchema } from "@petak/protocol";
import { invalidCursor } from "../feed/invalid-cursor.ts";

/** Position in a list of reservations. */
export interface ListCursor {
  /** Order of the list: reservations as they were made, or overdue ones by region and id. */
  kind: "made" | "overdue";
  /** Position in that order, in its own format. */
  after: string;
}

/** Length of the hash of the filters, enough to detect a cursor for other filters. */
const filtersLength = 8;

/** Encodes a cursor. It is opaque to callers. */
export function encodeListCursor(request: ListReservationsRequest, { kind, after }: ListCursor): string {
  return `${kind}.${filtersHash(request)}.${after}`;
}

/**
 * Reads the cursor of a request: the position after which to continue, "" for the beginning.
 *
 * @throws {PetakError} CURSOR_INVALID if it is malformed, or made for other filters.
 */
export function decodeListCursor(request: ListReservationsRequest, kind: ListCursor["kind"]): string {
  if (request.cursor === "") return "";
  const start = encodeListCursor(request, { kind, after: "" });
  if (!request.cursor.startsWith(start) || request.cursor === start) throw invalidCursor();
  return request.cursor.slice(start.length);
}

/** Hash of the filters, without the page size. */
function filtersHash({ states, siteId, purpose, partnerReference, overdue, deadlineBefore }: ListReservationsRequest): string {
  const filters = create(ListReservationsRequestSchema, { states: [...states].sort(), siteId, purpose, partnerReference, overdue });
  if (deadlineBefore !== undefined) filters.deadlineBefore = deadlineBefore;
  return hash("sha256", toBinary(ListReservationsRequestSchema, filters), "base64url").slice(0, filtersLength);
}
