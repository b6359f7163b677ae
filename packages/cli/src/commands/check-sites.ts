import { create, toJson } from "@bufbuild/protobuf";
import {
  CheckFitRequestSchema,
  CheckFitResponseSchema,
  ParcelRequirement,
  PassedOverReason,
  Purpose,
  type SiteFit,
  validateMessage,
} from "@petak/protocol";
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { addRequirementOptions, type RequirementOptions, toRequirements } from "./find-requirements.ts";
import { idsOf } from "./id-argument.ts";
import { addParcelOptions, type ParcelOptions, toParcel } from "./parcel-options.ts";
import { wordsOf } from "./words.ts";

const purposes = wordsOf(Purpose);
const reasons = wordsOf(PassedOverReason);
const needs = wordsOf(ParcelRequirement);

interface CheckOptions extends ParcelOptions, RequirementOptions {
  purpose?: Purpose;
  includeUnknown?: boolean;
}

/** `petak sites check`: whether a parcel fits at sites and a place is free there. */
export function registerCheckSites(command: Command, context: CommandContext): void {
  const check = command
    .command("check")
    .description("say whether a parcel fits at sites and a place is free there, or why not; holds nothing");
  addRequirementOptions(addParcelOptions(check), context)
    .argument("<site...>", "site_…, at most 20", idsOf("site"))
    .option("--purpose <purpose>", `what the place is for: ${purposes.all.join(", ")} (default: delivery)`, purposes.parse)
    .option("--include-unknown", "judge sites that have not said for a while what is free by their last counts")
    .addHelpText("after", "\nWith --json each site that fits has a signed choice, for `petak reserve --choice`; it is good for 15 minutes.")
    .action(async (siteIds: string[], options: CheckOptions, running: Command) => {
      const { output, connectToRead } = context.session(running);
      const request = create(CheckFitRequestSchema, {
        siteIds,
        parcel: toParcel(options),
        purpose: options.purpose ?? Purpose.UNSPECIFIED,
        requirements: toRequirements(options),
        includeUnknown: options.includeUnknown === true,
      });
      validateMessage(CheckFitRequestSchema, request);
      const client = await connectToRead();
      const response = await client.directory.checkFit(request);
      output.json(toJson(CheckFitResponseSchema, response));
      output.table(
        [
          { title: "SITE", paint: output.colors.cyan },
          { title: "FITS" },
          { title: "SIZE" },
          { title: "FREE", align: "right", paint: output.colors.green },
          { title: "NAME", flexible: true },
        ],
        response.fits.map(toRow),
      );
    });
}

function toRow({ site, fits, reason, missingRequirement, sizeClassId, freeToPromise }: SiteFit): string[] {
  const why = missingRequirement === ParcelRequirement.UNSPECIFIED ? reasons.of(reason) : `no ${needs.of(missingRequirement)}`;
  // Counts are sent up to 255.
  const free = freeToPromise >= 255 ? "255+" : String(freeToPromise);
  return [site?.siteId ?? "", fits ? "yes" : `no: ${why}`, sizeClassId, sizeClassId === "" ? "" : free, site?.name ?? ""];
}
