import { create, toJson } from "@bufbuild/protobuf";
import { FindNearestRequestSchema, FindNearestResponseSchema, SiteKind, type SiteOption, validateMessage } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import type { Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";
import { addRequirementOptions, describePassedOver, type RequirementOptions, toRequirements } from "./find-requirements.ts";
import { parseOrigin } from "./origin.ts";
import { defaultParcel, parseParcel, parseWhole } from "./parcel-options.ts";
import { parseSiteKind, siteKindName } from "./site-kind.ts";

interface FindOptions extends RequirementOptions {
  parcel?: [widthMm: number, heightMm: number, depthMm: number];
  mass: number;
  limit: number;
  radius: number;
  kind?: SiteKind[];
  why?: boolean;
}

/** `petak find`: the nearest sites that fit a parcel and have a place free. */
export const registerFind: CommandModule = (command, context) => {
  addRequirementOptions(command, context)
    .argument("<lat,lng>", 'where to look from, e.g. 1.3521,103.8198 or "1°21\'07"N 103°49\'11"E"', parseOrigin)
    .option("--parcel <WxHxD>", "outer width, height and depth in mm (default: 300x200x150)", parseParcel)
    .option("--mass <g>", "mass in g", parseWhole, 1200)
    .option("--limit <count>", "how many options at most (1 to 50)", parseWhole, 5)
    .option("--radius <m>", "the greatest distance in m; 0: no limit", parseWhole, 0)
    .option("--kind <terminal|store>", "only sites of this kind", collectKinds)
    .option("--why", "show how many sites up to 50 km away were passed over, and why")
    .action(async (origin: { latitude: number; longitude: number }, options: FindOptions, running: Command) => {
      const session = context.session(running);
      const { output } = session;
      const [widthMm, heightMm, depthMm] = options.parcel ?? defaultParcel;
      const request = create(FindNearestRequestSchema, {
        origin,
        parcel: { widthMm, heightMm, depthMm, massG: options.mass, requirements: options.needs ?? [] },
        limit: options.limit,
        radiusM: options.radius,
        kinds: options.kind ?? [],
        requirements: toRequirements(options),
        countPassedOver: options.why === true,
      });
      validateMessage(FindNearestRequestSchema, request);
      const client = await session.connectToRead();
      const response = await client.directory.findNearest(request);
      output.json(toJson(FindNearestResponseSchema, response));
      if (response.options.length === 0) {
        const where = options.radius > 0 ? ` within ${formatCount(options.radius)} m` : "";
        output.print(`No site${where} fits a parcel of ${widthMm}x${heightMm}x${depthMm} mm and ${options.mass} g and has a place free.`);
      } else {
        printOptions(output, response.options);
      }
      if (response.passedOver !== undefined) output.print(describePassedOver(response.passedOver));
    });
};

function printOptions(output: Output, options: readonly SiteOption[]): void {
  output.table(
    [
      { title: "DISTANCE", align: "right" },
      { title: "NAME", flexible: true, paint: output.colors.bold },
      { title: "OPERATOR", flexible: true },
      { title: "KIND" },
      { title: "SIZE" },
      { title: "FREE", align: "right", paint: output.colors.green },
      { title: "SITE", paint: output.colors.cyan },
    ],
    options.map(toRow),
  );
}

function toRow({ distanceM, site, sizeClassId, freeToPromise }: SiteOption): string[] {
  return [
    formatDistance(distanceM),
    site?.name ?? "",
    site?.operatorName || (site?.operatorId ?? ""),
    siteKindName(site?.kind ?? SiteKind.UNSPECIFIED),
    sizeClassId,
    // The index counts up to 255.
    freeToPromise >= 255 ? "255+" : String(freeToPromise),
    site?.siteId ?? "",
  ];
}

/** In metres below 1 km, otherwise in kilometres. */
function formatDistance(distanceM: number): string {
  if (distanceM < 1000) return `${Math.round(distanceM)} m`;
  return distanceM < 100_000 ? `${(distanceM / 1000).toFixed(1)} km` : `${formatCount(distanceM / 1000)} km`;
}

function collectKinds(text: string, earlier: SiteKind[] = []): SiteKind[] {
  return [...new Set([...earlier, ...text.split(",").map(parseSiteKind)])];
}
