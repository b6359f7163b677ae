import { toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type AuditEntry, AuditEntrySchema, type AuditKind, type ModeName } from "@petak/protocol";
import { archivedAudit, diskFiles } from "@petak/records";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { type ArchiveLocation, openDirectory } from "./open-directory.ts";

/** Which archived administrative changes are shown. */
export interface ArchivedAuditFilter {
  mode: ModeName;
  participant: string;
  kind?: AuditKind;
  from?: Date;
  to?: Date;
}

/** Shows archived administrative changes. Throws a CliFailure at the end if any cannot be read. */
export async function showAudit(
  session: Session,
  options: ArchiveLocation & ArchivedAuditFilter,
  lineOf: (entry: AuditEntry) => string,
): Promise<void> {
  const { output } = session;
  const layout = await openDirectory(session, options);
  const problems: string[] = [];
  for await (const file of archivedAudit(diskFiles, layout, options.mode)) {
    if ("problem" in file) problems.push(file.problem);
    else {
      for (const entry of file.entries.filter((one) => isWanted(one, options))) {
        output.jsonLine(toJson(AuditEntrySchema, entry));
        output.print(lineOf(entry));
      }
    }
  }
  const [first] = problems;
  if (first === undefined) return;
  throw new CliFailure(
    `${problems.length} files of the archive cannot be read or are missing. The first: ${first}. Run \`petak archive verify\`.`,
    {
      reason: "archive-damaged",
    },
  );
}

function isWanted(entry: AuditEntry, { participant, kind, from, to }: ArchivedAuditFilter): boolean {
  const atMs = entry.recordedAt === undefined ? 0 : timestampMs(entry.recordedAt);
  return (
    (participant === "" || entry.participantId === participant || entry.ownerId === participant) &&
    (kind === undefined || entry.kind === kind) &&
    (from === undefined || atMs >= from.getTime()) &&
    (to === undefined || atMs < to.getTime())
  );
}
