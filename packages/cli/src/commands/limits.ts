import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { GetLimitsResponseSchema, type Limit, LimitKind, Mode, type ModeName, ParticipantSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { idOf } from "./id-argument.ts";
import { modeOf, parseMode } from "./mode.ts";

const examples = `
Examples:
  petak limits --site site_…                                        your own, with those at a site and in its region
  petak --key admin.json limits --participant par_… --json
  petak --key admin.json limits set par_… --region-max 5000 --all-max 20000`;

/** `petak limits`: shows what a participant may do, what is used of it and what is left, and sets limits of one participant. */
export const registerLimits: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  command
    .command("show", { isDefault: true })
    .description("show the limits of a participant, what is used of them, and what is left")
    .option("--participant <id>", "whose limits (default: the caller's; others only for administrators)", "")
    .option("--site <id>", "add the limits at this site and in its region", "")
    .option("--region <id>", "add the limits in this region: six hexadecimal digits", "")
    .option("--mode <test|live>", "the network (default: the caller's)", parseMode)
    .action(async (options: ShowOptions, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const response = await client.participants.getLimits({
        participantId: options.participant,
        siteId: options.site,
        region: options.region,
        mode: options.mode === undefined ? Mode.UNSPECIFIED : modeOf(options.mode),
      });
      session.output.json(toJson(GetLimitsResponseSchema, response));
      session.output.table(
        [
          { title: "LIMIT" },
          { title: "WHERE", flexible: true, paint: session.output.colors.cyan },
          { title: "MOST", align: "right" },
          { title: "USED", align: "right" },
          { title: "LEFT", align: "right" },
        ],
        response.limits.map(toRow),
      );
    });

  command
    .command("set")
    .description("set the most unconfirmed holds of a participant; what is not given is as in the gateway's settings")
    .argument("<participant>", "par_…", idOf("par"))
    .option("--site-min <holds>", "holds at a site that are always allowed", parseCount, 0)
    .option(
      "--site-percent <percent>",
      "holds at a site, in percent of the places that are free or its own; 100 is no limit",
      parseCount,
      0,
    )
    .option("--region-max <holds>", "holds in one region", parseCount, 0)
    .option("--all-max <holds>", "holds in all regions", parseCount, 0)
    .action(async (participantId: string, options: SetOptions, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const { siteMin, sitePercent, regionMax, allMax } = options;
      const { participant } = await client.participants.setParticipantLimits({
        requestId: randomUUID(),
        participantId,
        holdLimits: { siteMin, sitePercent, regionMax, allMax },
      });
      if (participant === undefined) return;
      session.output.json(toJson(ParticipantSchema, participant));
      session.output.print(`Set the limits of ${session.output.colors.cyan(participant.participantId)}; they are in force within 10 s.`);
    });
};

interface SetOptions {
  siteMin: number;
  sitePercent: number;
  regionMax: number;
  allMax: number;
}

interface ShowOptions {
  participant: string;
  site: string;
  region: string;
  mode?: ModeName;
}

function toRow({ kind, region, siteId, sizeClassId, method, limit, used, left }: Limit): string[] {
  const where = [siteId, sizeClassId].filter((part) => part !== "").join(" ") || region || method.replace(/^petak\.v1\./, "");
  return [nameOf(kind), where, String(limit), used === undefined ? "" : String(used), left === undefined ? "" : String(left)];
}

/** The name of a kind for people: `holds at site`. Kinds of newer gateways have their number. */
function nameOf(kind: LimitKind): string {
  const [name] = Object.entries(LimitKind).find(([, number]) => number === kind) ?? [`kind ${kind}`];
  return name.toLowerCase().replaceAll("_", " ");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text.trim()) || count > 1_000_000_000) throw new InvalidArgumentError("write a whole number from 0 to 1000000000.");
  return count;
}
