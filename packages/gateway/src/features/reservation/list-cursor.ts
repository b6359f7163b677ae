import { hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ListReservationsRequest, ListReservationsRequestSchema, PetakError } from "@petak/protocol";

/** How far a list was read: `after` says it in the words of what was read. */
export interface ListCursor {
  /** What is read: the reservations in the order in which they were made, or those that are overdue. */
  kind: "made" | "overdue";
  after: string;
}

/** Of the hash of the question: enough that a cursor for another one is noticed. */
const questionLength = 8;

/** Writes a cursor. Opaque to callers. */
export function encodeListCursor(request: ListReservationsRequest, { kind, after }: ListCursor): string {
  return `${kind}.${questionOf(request)}.${after}`;
}

/**
 * Reads the cursor of a request: after what to go on, "" at the beginning.
 *
 * @throws {PetakError} CURSOR_INVALID where it is none, or one for another question.
 */
export function decodeListCursor(request: ListReservationsRequest, kind: ListCursor["kind"]): string {
  if (request.cursor === "") return "";
  const start = encodeListCursor(request, { kind, after: "" });
  if (!request.cursor.startsWith(start) || request.cursor === start) throw invalidListCursor();
  return request.cursor.slice(start.length);
}

/** The error for a cursor that was not made here for the question that it comes with. */
export function invalidListCursor(): PetakError {
  return new PetakError("CURSOR_INVALID", "cursor was not made by this gateway for these filters; start again without a cursor", {
    fieldViolations: [{ field: "cursor", description: "must be a cursor of this gateway for the same filters", rule: "cursor.made_here" }],
  });
}

/** Names what is asked for, whatever the size of the page. */
function questionOf({ states, siteId, purpose, partnerReference, overdue, deadlineBefore }: ListReservationsRequest): string {
  const question = create(ListReservationsRequestSchema, { states: [...states].sort(), siteId, purpose, partnerReference, overdue });
  if (deadlineBefore !== undefined) question.deadlineBefore = deadlineBefore;
  return hash("sha256", toBinary(ListReservationsRequestSchema, question), "base64url").slice(0, questionLength);
}
