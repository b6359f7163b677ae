import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  AvailabilityState,
  GetAvailabilityResponseSchema,
  GetSiteResponseSchema,
  type Site,
  type SiteAvailability,
  SiteLifecycle,
} from "@petak/protocol";
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { CliFailure } from "../failure.ts";
import { weeklyText } from "../places/weekly-text.ts";
import type { Output } from "../terminal/output.ts";
import { idOf, idsOf } from "./id-argument.ts";
import { siteKindName } from "./site-kind.ts";
import { siteServiceName } from "./site-services.ts";
import { printTerms } from "./terms-text.ts";
import { wordsOf } from "./words.ts";

const phases = wordsOf(SiteLifecycle);

/** `petak sites show` and `free`: the facts of one site, and what is free at some. */
export function registerShowSite(command: Command, context: CommandContext): void {
  command
    .command("show")
    .description("show the facts of a site, and the terms in force there")
    .argument("<site>", "site_…", idOf("site"))
    .action(async (siteId: string, _options: object, running: Command) => {
      const { output, connectToRead } = context.session(running);
      const client = await connectToRead();
      const response = await client.directory.getSite({ siteId });
      output.json(toJson(GetSiteResponseSchema, response));
      if (response.site === undefined) throw new CliFailure("The gateway's response lacks the site.");
      printSite(output, response.site);
      if (response.terms !== undefined) printTerms(output, response.terms);
    });

  command
    .command("free")
    .description("show how many places of sites are free, occupied and held")
    .argument("<site...>", "site_…, at most 100", idsOf("site"))
    .action(async (siteIds: string[], _options: object, running: Command) => {
      const { output, connectToRead } = context.session(running);
      const client = await connectToRead();
      const response = await client.directory.getAvailability({ siteIds });
      output.json(toJson(GetAvailabilityResponseSchema, response));
      output.table(
        [
          { title: "SITE", paint: output.colors.cyan },
          { title: "SIZE" },
          { title: "FREE", align: "right", paint: output.colors.green },
          { title: "HELD", align: "right" },
          { title: "OCCUPIED", align: "right" },
          { title: "BY OTHERS", align: "right" },
          { title: "IN SERVICE", align: "right" },
          { title: "OBSERVED" },
        ],
        response.availabilities.flatMap(toRows),
      );
    });
}

function printSite(output: Output, site: Site): void {
  const { address, position, timeZone, openingHours, sizeClasses, services, intake } = site;
  const lines: [title: string, text: string][] = [
    ["name", output.colors.bold(site.name)],
    ["kind", siteKindName(site.kind)],
    ["operator", site.operatorId],
    ["reference", site.operatorSiteRef],
    ["phase", `${phases.of(site.lifecycle)}${site.draining ? ", draining" : ""}${intake?.paused === true ? ", intake paused" : ""}`],
    ["address", [...(address?.lines ?? []), address?.postalCode, address?.locality, address?.countryCode].filter(Boolean).join(", ")],
    ["position", position === undefined ? "" : `${position.latitude},${position.longitude}`],
    ["hint", site.access?.entranceHint ?? ""],
    ["open", openingHours === undefined ? "" : `${weeklyText(openingHours)} (${timeZone})`],
    ["services", services.map(siteServiceName).join(", ")],
    ...sizeClasses.map(({ sizeClassId, installed, widthMm, heightMm, depthMm, maxMassG }): [string, string] => [
      "places",
      `${sizeClassId}: ${installed} of ${widthMm}x${heightMm}x${depthMm} mm, up to ${maxMassG} g`,
    ]),
  ];
  output.print(output.colors.cyan(site.siteId));
  for (const [title, text] of lines) if (text !== "") output.print(`  ${title.padEnd(11)}${text}`);
}

/** One row for each size class. */
function toRows({ siteId, state, sizeClasses, observedAt }: SiteAvailability): string[][] {
  const known = state === AvailabilityState.KNOWN;
  const at = observedAt === undefined ? "" : `${timestampDate(observedAt).toISOString().slice(0, 19)}Z`;
  return sizeClasses.map(({ sizeClassId, freeToPromise, held, occupied, occupiedByOthers, inService }) => [
    siteId,
    sizeClassId,
    ...[freeToPromise, held, occupied, occupiedByOthers, inService].map(String),
    known ? at : `${at}, too old to count on`,
  ]);
}
