import { setTimeout as sleep } from "node:timers/promises";
import { toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { AuditEntrySchema, type AuditKind } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { readCursor, writeCursor } from "../cursor-file.ts";
import { toFailure } from "../failure.ts";
import { isPassing } from "../feed/follow-feed.ts";
import { auditKinds, auditLineOf, parseMaker } from "./audit-text.ts";
import { instantParser } from "./instant.ts";

/** Entries per call: the protocol's greatest. */
const pageSize = 500;

/** How often `--follow` asks for new entries, in ms: administrators change little. */
const pollMs = 2000;

interface AuditOptions {
  participant: string;
  kind?: AuditKind;
  from?: Date;
  to?: Date;
  since?: string;
  follow?: boolean;
}

const examples = `
Examples:
  petak audit --key auditor.json --kind key --from 2026-11-05T00:00+08:00
  petak audit --key auditor.json --participant par_…
  petak audit --key auditor.json --since audit.cursor --json >> audit.ndjson   what has come since the last run
  petak audit --key auditor.json --follow                                      and what comes

It reads the network of the key, live or test. An entry may come twice, with the same id, if a run with --since is cut off.`;

/** `petak audit`: reads the record of administrative changes. */
export const registerAudit: CommandModule = (command, context) => {
  command
    .addHelpText("after", examples)
    .option("--participant <participant>", "only changes by this participant, or of what belongs to it, par_…, or gateway", parseMaker, "")
    .option("--kind <kind>", `only changes of one kind: ${auditKinds.all.join(", ")}`, auditKinds.parse)
    .option("--from <time>", "only changes recorded at this time or later, e.g. 2026-11-05T21:30+08:00 or -2h", instantParser(context.io))
    .option("--to <time>", "only changes recorded before this time", instantParser(context.io))
    .option("--follow", "go on with the entries that come, until Ctrl-C")
    .option("--since <file>", "begin where the run ended that wrote this file, and write it; without the file, begin with the oldest entry")
    .action(async ({ participant, kind, from, to, since, follow }: AuditOptions, running: Command) => {
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
      let cursor = path === undefined ? "" : await readCursor(path);
      const told = new Map<string, string>();
      const readOn = async () => {
        for (let hasMore = true; hasMore; ) {
          const page = await client.audit.listAuditEntries({ ...filter, pageSize, cursor });
          for (const { participantId: maker, until } of page.dropped) {
            const at = until === undefined ? "" : timestampDate(until).toISOString();
            if (told.get(maker) !== at) {
              output.note(
                `Not stored any more: the changes of ${maker === "" ? "everybody" : maker} until ${at}, some of which this run has not read.`,
              );
            }
            told.set(maker, at);
          }
          for (const entry of page.entries) {
            output.jsonLine(toJson(AuditEntrySchema, entry));
            output.print(auditLineOf(entry));
          }
          ({ nextCursor: cursor, hasMore } = page);
          if (path !== undefined) await writeCursor(path, cursor);
        }
      };
      await readOn();
      const interruption = session.io.interruption();
      let isLost = false;
      while (follow === true && !interruption.aborted) {
        await sleep(pollMs, undefined, { signal: interruption }).catch(() => {});
        if (interruption.aborted) return;
        try {
          await readOn();
          isLost = false;
        } catch (error) {
          if (!isLoss(error)) throw error;
          if (!isLost) output.note("The gateway was lost, and is asked again.");
          isLost = true;
        }
      }
    });
};

/** Whether a call failed because the gateway could not be reached, or not answer now. */
function isLoss(error: unknown): boolean {
  return isPassing(error) || ["unreachable", "timeout"].includes(toFailure(error, "").reason ?? "");
}
