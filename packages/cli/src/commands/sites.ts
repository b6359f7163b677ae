import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { type LiveReservations, SiteLifecycle, UpsertSitesResponseSchema } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandContext, CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import { registerCheckSites } from "./check-sites.ts";
import { idsOf } from "./id-argument.ts";
import { registerListSites } from "./list-sites.ts";
import { hintingLive, liveOption } from "./live-option.ts";
import { registerShowSite } from "./show-site.ts";
import { registerSiteTerms } from "./site-terms.ts";

const examples = `
Examples:
  petak sites list --since sites.cursor --country SG --json
  petak sites show site_…
  petak sites free site_… site_…
  petak sites check site_… --parcel 300x200x150
  petak --key operator.json sites retire site_… --live drain`;

/** `petak sites`: lists, shows and checks sites; for operators: sets their terms, pauses, resumes and retires them. */
export const registerSites: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  registerListSites(command, context);
  registerShowSite(command, context);
  registerCheckSites(command, context);
  command
    .command("pause")
    .description("take sites out of service for a while: nothing can be reserved, confirmed or deposited there")
    .argument("<site...>", "site_…", idsOf("site"))
    .action((siteIds: string[], _options: object, running: Command) => setLifecycle(context, running, siteIds, SiteLifecycle.MAINTENANCE));
  command
    .command("resume")
    .description("put sites back into service")
    .argument("<site...>", "site_…", idsOf("site"))
    .action((siteIds: string[], _options: object, running: Command) => setLifecycle(context, running, siteIds, SiteLifecycle.ACTIVE));
  command
    .command("retire")
    .description("take sites out of service for good; parcels inside can still be collected")
    .argument("<site...>", "site_…", idsOf("site"))
    .addOption(liveOption())
    .action(async (siteIds: string[], { live }: { live: LiveReservations }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      await hintingLive(() => client.directory.retireSites({ requestId: randomUUID(), siteIds, liveReservations: live }));
      session.output.json({ siteIds });
      session.output.print(`Retired ${siteIds.join(", ")}.`);
    });
  registerSiteTerms(command, context);
};

async function setLifecycle(context: CommandContext, running: Command, siteIds: string[], lifecycle: SiteLifecycle): Promise<void> {
  const session = context.session(running);
  const { client } = await session.connect();
  const found = await Promise.all(siteIds.map((siteId) => client.directory.getSite({ siteId })));
  const sites = found.map(({ site }) => {
    if (site === undefined) throw new CliFailure("the gateway returned no site");
    return { ...site, lifecycle };
  });
  const response = await client.directory.upsertSites({ requestId: randomUUID(), sites });
  session.output.json(toJson(UpsertSitesResponseSchema, response));
  const what = lifecycle === SiteLifecycle.ACTIVE ? "Back in service" : "Paused";
  session.output.print(`${what}: ${response.results.map(({ siteId }) => siteId).join(", ")}.`);
}
