import type { Command } from "commander";
import type { ArchiveLocation } from "../archive/open-directory.ts";
import type { CommandModule } from "../command.ts";
import { idOf } from "./id-argument.ts";

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

  withLocation(command.command("verify"))
    .description("read every file, and check its checksum, counts, order of events, the index and the participants' feeds")
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
