import { toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type AuditEntry, AuditEntrySchema, AuditKind, AuditOutcome } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { readCursor, writeCursor } from "../cursor-file.ts";
import { parseInstant } from "./instant.ts";
import { wordsOf } from "./words.ts";

/** Entries per call: the protocol's greatest. */
const pageSize = 500;

const kinds = wordsOf(AuditKind);

interface AuditOptions {
  participant: string;
  kind?: AuditKind;
  from?: Date;
  to?: Date;
  since?: string;
}

const examples = `
Examples:
  petak audit --key auditor.json --kind key --from 2026-11-05T00:00+08:00
  petak audit --key auditor.json --participant par_…
  petak audit --key auditor.json --since audit.cursor --json >> audit.ndjson   what has come since the last run

It reads the network of the key, live or test. An entry may come twice, with the same id, if a run with --since is cut off.`;

/** `petak audit`: reads the record of administrative changes. */
export const registerAudit: CommandModule = (command, context) => {
  command
    .addHelpText("after", examples)
    .option("--participant <participant>", "only changes by this participant, or of what belongs to it, par_…", "")
    .option("--kind <kind>", `only changes of one kind: ${kinds.all.join(", ")}`, kinds.parse)
    .option("--from <time>", "only changes recorded at this time or later, e.g. 2026-11-05T21:30+08:00", parseInstant)
    .option("--to <time>", "only changes recorded before this time", parseInstant)
    .option("--since <file>", "begin where the run ended that wrote this file, and write it; without the file, begin with the oldest entry")
    .action(async ({ participant, kind, from, to, since }: AuditOptions, running: Command) => {
      const session = context.session(running);
      const { output } = session;
      const path = since === undefined ? undefined : session.resolve(since);
      const filter = {
        participantId: participant,
        ...(kind !== undefined && { kind }),
        ...(from && { from: timestampFromDate(from) }),
        ...(to && { to: timestampFromDate(to) }),
      };
      const { client } = await session.connect();
      for (let cursor = path === undefined ? "" : await readCursor(path), hasMore = true; hasMore; ) {
        const page = await client.audit.listAuditEntries({ ...filter, pageSize, cursor });
        for (const entry of page.entries) {
          output.jsonLine(toJson(AuditEntrySchema, entry));
          output.print(lineOf(entry));
        }
        ({ nextCursor: cursor, hasMore } = page);
        if (path !== undefined) await writeCursor(path, cursor);
      }
    });
};

function lineOf({ recordedAt, participantId, keyId, method, objectId, summary, outcome }: AuditEntry): string {
  const at = recordedAt === undefined ? "" : timestampDate(recordedAt).toISOString();
  const call = method.slice(method.indexOf("/") + 1);
  const isUnknown = outcome === AuditOutcome.UNKNOWN;
  return [at, participantId, keyId, call, objectId, summary, isUnknown ? "(cut off: whether it was done is not known)" : ""]
    .filter((part) => part !== "")
    .join("  ");
}
