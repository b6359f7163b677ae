import type { Command } from "commander";
import type { ArchiveLocation } from "../archive/open-directory.ts";
import type { ArchivedAuditFilter } from "../archive/show-audit.ts";
import type { CommandModule } from "../command.ts";
import { auditKinds, auditLineOf, parseMaker } from "./audit-text.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";
import { parseMode } from "./mode.ts";

/** `petak archive`: lists, shows and verifies archived records. Works on the files, without a gateway. */
export const registerArchive: CommandModule = (command, context) => {
  withLocation(command.command("list"))
    .description("list the days of the archive, by region")
    .option("--region <region>", "only this region, e.g. 836520")
    .action(async (options: ArchiveLocation & { region?: string }, running: Command) => {
      const { listDays } = await import("../archive/list-days.ts");
      await listDays(context.session(running), options);
    });

  withLocation(command.command("show"))
    .description("show an archived reservation with all its events")
    .argument("<reservation>", "the reservation's id, res_…", idOf("res"))
    .action(async (reservationId: string, options: ArchiveLocation, running: Command) => {
      const { showReservation } = await import("../archive/show-reservation.ts");
      await showReservation(context.session(running), options, reservationId);
    });

  withLocation(command.command("audit"))
    .description("show archived administrative changes")
    .option("--mode <test|live>", "the network", parseMode, "live")
    .option("--participant <participant>", "only changes by this participant, or of what belongs to it, par_…, or gateway", parseMaker, "")
    .option("--kind <kind>", `only changes of one kind: ${auditKinds.all.join(", ")}`, auditKinds.parse)
    .option("--from <time>", "only changes recorded at this time or later, e.g. 2026-11-05T21:30+08:00 or -2h", instantParser(context.io))
    .option("--to <time>", "only changes recorded before this time", instantParser(context.io))
    .action(async (options: ArchiveLocation & ArchivedAuditFilter, running: Command) => {
      const { showAudit } = await import("../archive/show-audit.ts");
      await showAudit(context.session(running), options, auditLineOf);
    });

  withLocation(command.command("verify"))
    .description(
      "read every file, and check its checksum, counts, order of events, the index, the participants' feeds and the administrative changes",
    )
    .option("--rebuild-index", "first rebuild the index from the days; no gateway may archive meanwhile")
    .action(async (options: ArchiveLocation & { rebuildIndex?: boolean }, running: Command) => {
      const { verifyArchive } = await import("../archive/verify-archive.ts");
      await verifyArchive(context.session(running), options);
    });
};

function withLocation(command: Command): Command {
  return command
    .option("--archive-dir <directory>", "the archive's directory (env: PETAK_ARCHIVE_DIR; default: archive in the data directory)")
    .option("--data-dir <directory>", "the gateway's data directory (env: PETAK_DATA_DIR; default: .petak)")
    .option("--config <file>", "the gateway's configuration file (env: PETAK_CONFIG)")
    .option("--prefix <prefix>", "key prefix of the network", "petak");
}
