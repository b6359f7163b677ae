import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ParcelRequirement, type PassedOver, PassedOverReason, type SiteRequirementsSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext } from "../command.ts";
import { instantParser } from "./instant.ts";

/** The options of `petak find` for site requirements. */
export interface RequirementOptions {
  country?: string[];
  anyCountry?: boolean;
  openAt?: Date;
  stepFree?: boolean;
  accessible?: boolean;
  refrigerated?: boolean;
  card?: boolean;
  needs?: ParcelRequirement[];
}

const requirementNames = Object.entries(ParcelRequirement)
  .filter(([, value]) => value !== ParcelRequirement.UNSPECIFIED)
  .map(([name, value]) => [name.toLowerCase().replaceAll("_", "-"), value] as const);

/** Adds the options of {@link RequirementOptions} to a command. */
export function addRequirementOptions(command: Command, context: Pick<CommandContext, "io">): Command {
  return addSiteRequirementOptions(command, context).option(
    "--needs <what>",
    `what the parcel needs: ${requirementNames.map(([name]) => name).join(", ")}`,
    collectNeeds,
  );
}

/** Adds the options that say something of the site, and nothing of the parcel. */
export function addSiteRequirementOptions(command: Command, { io }: Pick<CommandContext, "io">): Command {
  return command
    .option("--country <SG,MY>", "only sites in these countries (default: the country of the point)", collectCountries)
    .option("--any-country", "sites of every country")
    .option("--open-at <time>", "only sites that are open then, e.g. 2026-11-05T21:30+08:00 or +2h", instantParser(io))
    .option("--step-free", "only sites with no step on the way")
    .option("--accessible", "only compartments within reach of a wheelchair, 380 to 1220 mm high")
    .option("--refrigerated", "only cooled places")
    .option("--card", "only sites that take payment by card");
}

/** The requirements for the given options. */
export function toRequirements(options: RequirementOptions): MessageInitShape<typeof SiteRequirementsSchema> {
  return {
    countryCodes: options.country ?? [],
    anyCountry: options.anyCountry === true,
    ...(options.openAt && { openAt: timestampFromDate(options.openAt) }),
    stepFree: options.stepFree === true,
    accessible: options.accessible === true,
    refrigerated: options.refrigerated === true,
    cardPayment: options.card === true,
  };
}

/** The passed-over sites in a sentence: `Passed over within 1,200 m: 3 full, 1 closed.` */
export function describePassedOver({ withinM, counts }: PassedOver): string {
  const reasons = counts.map(({ reason, sites }) => `${sites} ${reasonName(reason)}`);
  return `Passed over within ${Math.round(withinM).toLocaleString("en")} m: ${reasons.join(", ") || "none"}.`;
}

function reasonName(reason: PassedOverReason): string {
  const name = Object.entries(PassedOverReason).find(([, value]) => value === reason)?.[0] ?? `reason ${reason}`;
  return name.toLowerCase().replaceAll("_", " ");
}

/** Reads country codes of an option. @param earlier those of the same option before */
export function collectCountries(text: string, earlier: string[] = []): string[] {
  const codes = text.split(",").map((code) => code.trim().toUpperCase());
  if (codes.some((code) => !/^[A-Z]{2}$/.test(code))) throw new InvalidArgumentError("write codes of two letters, e.g. SG,MY.");
  return [...new Set([...earlier, ...codes])];
}

function collectNeeds(text: string, earlier: ParcelRequirement[] = []): ParcelRequirement[] {
  const needs = text.split(",").map((word) => {
    const [, requirement] = requirementNames.find(([name]) => name === word.trim().toLowerCase()) ?? [];
    if (requirement === undefined) throw new InvalidArgumentError(`write one of ${requirementNames.map(([name]) => name).join(", ")}.`);
    return requirement;
  });
  return [...new Set([...earlier, ...needs])];
}
