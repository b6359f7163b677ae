import { randomUUID } from "node:crypto";
import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { type Duration, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ReportCapacityOutcome, ReportCapacityResponseSchema, type SiteCapacitySchema, type SizeClassReportSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { parseDuration } from "./duration.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";

type SizeClass = MessageInitShape<typeof SizeClassReportSchema>;

const examples = `
Examples:
  petak capacity report site_… S=4/8/0 M=0/11/1          4 of S are free, 8 occupied, none broken; of M none, 11 and 1
  petak capacity report site_… S=4/8/0 M=0/11/1 --ttl 2m
  petak capacity end site_…                              the gateway counts by itself again

\`petak sites free site_…\` shows what the gateway makes of it.`;

/** `petak capacity`: for operators whose places others use too, what is free at a site. */
export const registerCapacity: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  command
    .command("report")
    .description("report a snapshot of all places of a site of yours; it is good for five minutes at most")
    .argument("<site>", "site_…", idOf("site"))
    .argument("<size=free/occupied/broken...>", "every size class of the site; the three add up to its installed places", collectClass)
    .option("--observed-at <time>", "when it was taken, e.g. 2026-11-05T21:30+08:00 or -30s (default: now)", instantParser(context.io))
    .option("--ttl <duration>", "how long it is valid from then, 10s to 5m (default: 5m)", parseDuration)
    .action(async (siteId: string, sizeClasses: SizeClass[], options: { observedAt?: Date; ttl?: Duration }, running: Command) => {
      const session = context.session(running);
      const { observedAt, ttl } = options;
      await report(session, { siteId, sizeClasses, ...(observedAt && { observedAt: timestampFromDate(observedAt) }), ...(ttl && { ttl }) });
    });

  command
    .command("end")
    .description("stop reporting for a site: the gateway counts by itself, as if only this network used its places")
    .argument("<site>", "site_…", idOf("site"))
    .action(async (siteId: string, _options: object, running: Command) => {
      await report(context.session(running), { siteId, reportingEnded: true });
    });
};

async function report(session: Session, capacity: MessageInitShape<typeof SiteCapacitySchema>): Promise<void> {
  const { client } = await session.connect();
  const site = { observedAt: timestampFromMs(session.io.now()), ...capacity };
  const response = await client.directory.reportCapacity({ requestId: randomUUID(), sites: [site] });
  const json = toJson(ReportCapacityResponseSchema, response) as Record<string, unknown>;
  if (response.results[0]?.outcome === ReportCapacityOutcome.OUTDATED) {
    throw new CliFailure(
      `The gateway knows something later of ${capacity.siteId}, or the snapshot is over, so that it is ignored. Take a new one and report it.`,
      { reason: "outdated", result: json },
    );
  }
  session.output.json(json);
  session.output.print(
    capacity.reportingEnded === true ? `${capacity.siteId} is counted by the gateway.` : `Recorded for ${capacity.siteId}.`,
  );
}

function collectClass(text: string, earlier: SizeClass[] = []): SizeClass[] {
  const [, sizeClassId, ...counts] = /^([A-Za-z0-9_-]{1,16})=(\d{1,4})\/(\d{1,4})\/(\d{1,4})$/.exec(text.trim()) ?? [];
  if (sizeClassId === undefined)
    throw new InvalidArgumentError("write a size class with its free, occupied and broken places, e.g. M=3/8/1.");
  const [free, occupied, outOfService] = counts.map(Number);
  return [...earlier, { sizeClassId, free, occupied, outOfService }];
}
