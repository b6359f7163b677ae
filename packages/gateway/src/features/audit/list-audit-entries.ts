import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  AuditKind,
  invalidField,
  type ListAuditEntriesRequest,
  type ListAuditEntriesResponse,
  ListAuditEntriesResponseSchema,
  type ModeName,
} from "@petak/protocol";
import type { AuditLog } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { invalidCursor } from "../feed/invalid-cursor.ts";

/** Entries of a page unless the request says how many. */
const defaultPageSize = 100;

const cursorForm = /^audit\.(live|test)\.(\d{1,15}-\d{1,15})$/;

/** Returns a page of the administrative changes in the network of the caller's key. */
export async function listAuditEntries(
  auditLog: Pick<AuditLog, "read">,
  { cursor, pageSize, participantId, kind, from, to }: ListAuditEntriesRequest,
  { mode }: ParticipantCaller,
): Promise<ListAuditEntriesResponse> {
  const [fromMs, toMs] = [from && Math.ceil(timestampMs(from)), to && Math.ceil(timestampMs(to))];
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs) {
    throw invalidField("to", "must not be before from", "list_audit_entries.to_after_from");
  }
  const page = await auditLog.read({
    ...{ mode, fromMs, toMs },
    after: decodeCursor(cursor, mode),
    count: pageSize || defaultPageSize,
    matches: (entry) =>
      (participantId === "" || entry.participantId === participantId || entry.ownerId === participantId) &&
      (kind === AuditKind.UNSPECIFIED || entry.kind === kind),
  });
  return create(ListAuditEntriesResponseSchema, {
    entries: page.entries,
    nextCursor: `audit.${mode}.${page.next}`,
    hasMore: page.hasMore,
    dropped: page.dropped.map(({ makerId = "", until }) => ({
      participantId: makerId,
      untilEntryId: until,
      until: timestampFromMs(Number.parseInt(until, 10)),
    })),
  });
}

/** The id of the entry after which to continue. @throws {PetakError} CURSOR_INVALID. */
function decodeCursor(cursor: string, mode: ModeName): string | undefined {
  if (cursor === "") return undefined;
  const [, network, entryId] = cursorForm.exec(cursor) ?? [];
  if (entryId === undefined || network !== mode) throw invalidCursor();
  return entryId;
}
